package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/client-go/util/retry"
	"k8s.io/publisher/hack/e2e/controlplane"
)

// kubectl runs a kubectl that was built with another client library, and returns
// what it prints.
func kubectl(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	dir, err := controlplane.Build(deadline(t), os.Stderr, controlplane.Kubectl)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(deadline(t), filepath.Join(dir, controlplane.Kubectl), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "KUBECACHEDIR="+t.TempDir())
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return out
}

func TestKubectlReadsWhatWasWritten(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	deployments := clientset(t, adminConfig(t)).AppsV1().Deployments(ns)
	deployment := create(t, appsv1.SchemeGroupVersion.WithKind("Deployment"), ns, deployments.Create)

	var got appsv1.Deployment
	if err := json.Unmarshal(kubectl(t, nil, "get", "deployment", deployment.Name, "-n", ns, "-o", "json", "--show-managed-fields"), &got); err != nil {
		t.Fatal(err)
	}
	if got.UID != deployment.UID || *got.Spec.Replicas != 3 || len(got.ManagedFields) == 0 {
		t.Errorf("kubectl got %+v", got)
	}
	table := string(kubectl(t, nil, "get", "deployments", "-n", ns))
	if !strings.Contains(table, deployment.Name) || !strings.Contains(table, "0/3") {
		t.Errorf("kubectl's table:\n%s", table)
	}
	if described := string(kubectl(t, nil, "describe", "deployment", deployment.Name, "-n", ns)); !strings.Contains(described, "example.com/web:1") {
		t.Errorf("kubectl's description:\n%s", described)
	}

	gvr := newCRD(t)
	widget := newWidget(gvr, "one")
	if _, err := dynamicClient(t).Resource(gvr).Namespace(ns).Create(deadline(t), widget, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var custom unstructured.Unstructured
	if err := json.Unmarshal(kubectl(t, nil, "get", "widgets."+gvr.Group, "one", "-n", ns, "-o", "json"), &custom.Object); err != nil {
		t.Fatal(err)
	}
	if colour, _, _ := unstructured.NestedString(custom.Object, "spec", "colour"); colour != "röd" {
		t.Errorf("kubectl got the colour %q", colour)
	}
}

// TestKubectlAndApplyShareAnObject: each has the fields that it applied, and is
// told when it takes the other's.
func TestKubectlAndApplyShareAnObject(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	deployments := clientset(t, adminConfig(t)).AppsV1().Deployments(ns)
	manifest := newManifest(t, appsv1.SchemeGroupVersion.WithKind("Deployment"), ns, "shared")
	name := manifest.GetName()
	data, err := json.Marshal(manifest.Object)
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, data, "apply", "--server-side", "-f", "-")

	_, err = deployments.Apply(deadline(t), appsapply.Deployment(name, ns).WithSpec(appsapply.DeploymentSpec().WithReplicas(8)),
		metav1.ApplyOptions{FieldManager: "e2e"})
	if err == nil || !strings.Contains(err.Error(), "kubectl") {
		t.Errorf("apply of kubectl's field: %v, want a conflict that names kubectl", err)
	}
	_, err = deployments.Apply(deadline(t), appsapply.Deployment(name, ns).WithAnnotations(map[string]string{"e2e": "mine"}),
		metav1.ApplyOptions{FieldManager: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, nil, "scale", "deployment", name, "-n", ns, "--replicas=5")
	got, err := deployments.Get(deadline(t), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mine, err := appsapply.ExtractDeployment(got, "e2e")
	if err != nil {
		t.Fatal(err)
	}
	if mine.Annotations["e2e"] != "mine" || mine.Spec != nil && mine.Spec.Replicas != nil {
		t.Errorf("extracted what is not ours: %+v", mine)
	}
	if *got.Spec.Replicas != 5 || got.Annotations["e2e"] != "mine" {
		t.Errorf("%d replicas, annotations %v", *got.Spec.Replicas, got.Annotations)
	}
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		_, err := deployments.Update(deadline(t), got, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
