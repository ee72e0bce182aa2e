package replicas

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/publisher/proctest"
)

// deployed is a world of which the manifests are applied as they are.
func deployed(t *testing.T) *world {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", plane.AdminKubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &world{T: t, dir: t.TempDir(), client: client, namespace: "publisher"}
}

// TestManifestsAreAccepted by the API server, which looks at every field; and its pods
// by the namespace, which lets in none that could harm its node.
func TestManifestsAreAccepted(t *testing.T) {
	t.Parallel()
	w := deployed(t)
	for _, overlay := range []string{"replicas", "jobs"} {
		out := w.kubectl("apply", "--validate=strict", "--warnings-as-errors", "-k", filepath.Join(manifests, "overlays", overlay))
		for _, kind := range []string{"namespace/publisher", "role.rbac.authorization.k8s.io/publisher", "networkpolicy.networking.k8s.io/publisher", "lease.coordination.k8s.io/publisher"} {
			if !strings.Contains(out, kind) {
				t.Errorf("%s has no %s:\n%s", overlay, kind, out)
			}
		}
		// What is applied again is what is there.
		again := w.kubectl("diff", "-k", filepath.Join(manifests, "overlays", overlay))
		if again != "" {
			t.Errorf("%s, applied, differs:\n%s", overlay, again)
		}
	}
	deployment, err := w.client.AppsV1().Deployments(w.namespace).Get(t.Context(), "publisher", metav1.GetOptions{})
	w.must(err)
	cronJob, err := w.client.BatchV1().CronJobs(w.namespace).Get(t.Context(), "publisher", metav1.GetOptions{})
	w.must(err)
	job, err := w.client.BatchV1().Jobs(w.namespace).Get(t.Context(), "publisher-shards", metav1.GetOptions{})
	w.must(err)
	for name, template := range map[string]corev1.PodTemplateSpec{
		"deployment": deployment.Spec.Template, "cron-job": cronJob.Spec.JobTemplate.Spec.Template, "job": job.Spec.Template,
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: template.Labels}, Spec: template.Spec}
		_, err := w.client.CoreV1().Pods(w.namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
		if err != nil {
			t.Errorf("a pod of the %s: %v", name, err)
		}
		// The arguments are those of a publisher. It comes as far as its files.
		args := slices.Clone(template.Spec.Containers[0].Args)
		for i := range args {
			args[i] = strings.NewReplacer("$(SOURCE)", w.dir, "$(REMOTE)", "none", "$(JOB_COMPLETION_INDEX)", "0", "/var/lib/publisher", w.dir, ":8080", "127.0.0.1:0").Replace(args[i])
		}
		const missing = "/run/secrets/publisher/credentials.yaml"
		log := new(proctest.Output)
		cmd := exec.CommandContext(t.Context(), publisher, args...)
		cmd.Env = append(w.environment(), "KUBECONFIG="+plane.AdminKubeconfig)
		cmd.Stdout, cmd.Stderr = log, log
		w.must(cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		w.eventually("the "+name+" misses its credentials", func() error {
			if !strings.Contains(log.String(), missing) {
				return fmt.Errorf("publisher %s says\n%s", strings.Join(args, " "), log)
			}
			return nil
		})
		_ = cmd.Process.Kill() // One that runs goes on trying.
		<-ended
		if name == "deployment" {
			continue
		}
		if on := template.Spec.AutomountServiceAccountToken; on == nil || *on {
			t.Errorf("the %s has a token that it does not need", name)
		}
	}
}

// TestUnknownFieldIsRefused: what the test above relies on.
func TestUnknownFieldIsRefused(t *testing.T) {
	t.Parallel()
	w := deployed(t)
	file := filepath.Join(w.dir, "job.yaml")
	w.must(os.WriteFile(file, []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: default}\ndatta: {}\n"), 0o600))
	cmd := exec.Command(kubectlBinary, "--kubeconfig", plane.AdminKubeconfig, "apply", "--validate=strict", "-f", file)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), `unknown field "datta"`) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAccountHasNoOtherRights than those that its replicas use, which the other tests
// show to be enough.
func TestAccountHasNoOtherRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config, err := clientcmd.BuildConfigFromFlags("", w.kubeconfig)
	w.must(err)
	client, err := kubernetes.NewForConfig(config)
	w.must(err)
	forbidden := func(what string, err error) {
		t.Helper()
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v, want a Forbidden error", what, err)
		}
	}
	_, err = client.CoreV1().Secrets(w.namespace).List(t.Context(), metav1.ListOptions{})
	forbidden("secrets", err)
	_, err = client.CoreV1().ConfigMaps(w.namespace).List(t.Context(), metav1.ListOptions{})
	forbidden("all ConfigMaps", err)
	_, err = client.CoreV1().ConfigMaps(w.namespace).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})
	forbidden("a new ConfigMap", err)
	_, err = client.CoordinationV1().Leases(w.namespace).Get(t.Context(), "other", metav1.GetOptions{})
	forbidden("another lease", err)
	_, err = client.CoreV1().Pods(w.namespace).List(t.Context(), metav1.ListOptions{})
	forbidden("pods", err)
	err = client.CoreV1().ConfigMaps(w.namespace).Delete(t.Context(), "publisher-status", metav1.DeleteOptions{})
	forbidden("deleting the report", err)
	err = client.CoordinationV1().Leases("default").Delete(t.Context(), "publisher", metav1.DeleteOptions{})
	forbidden("another namespace", err)
}
