package e2e

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// publicExamples copies the examples of the public client-go to a module of their own
// that has our client-go in place of that, and returns its directory.
func publicExamples(t *testing.T) string {
	t.Helper()
	from := strings.TrimSpace(output(t, ".", "", "go", "list", "-m", "-modfile=public.mod", "-f", "{{.Dir}}", "k8s.io/client-go"))
	to := t.TempDir()
	if err := os.CopyFS(filepath.Join(to, "examples"), os.DirFS(filepath.Join(from, "examples"))); err != nil {
		t.Fatal(err)
	}
	ours, err := filepath.Abs("../../staging/src/k8s.io/client-go")
	if err != nil {
		t.Fatal(err)
	}
	module := read(t, filepath.Join(from, "go.mod"))
	module = strings.Replace(module, "module k8s.io/client-go\n", "module example.com/public\n", 1)
	module += "\nrequire k8s.io/client-go v0.36.6\n\nreplace k8s.io/client-go => " + ours + "\n"
	sums := read(t, filepath.Join(from, "go.sum")) + read(t, filepath.Join(ours, "go.sum"))
	for name, text := range map[string]string{"go.mod": module, "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// output runs a program to its end, and returns what it prints.
func output(t *testing.T, dir, flags, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // a build takes minutes
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	// The module of the examples may need newer versions of what our client-go needs.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+flags)
	cmd.Stdin = strings.NewReader(strings.Repeat("\n", 100)) // they wait for Return
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out, &stderr)
	}
	return string(out)
}

// TestPublicExamplesWork: each of the programs that the public module shows its users
// compiles as it is, and does what it says.
func TestPublicExamplesWork(t *testing.T) {
	t.Parallel()
	dir := publicExamples(t)
	bin := t.TempDir()
	output(t, dir, "-mod=mod", "go", "build", "-o", bin+string(filepath.Separator), "./examples/...")
	built := func(name string) string { return filepath.Join(bin, name) }

	t.Run("fake-client", func(t *testing.T) {
		output(t, dir, "-mod=mod", "go", "test", "./examples/fake-client")
	})
	for _, name := range []string{"create-update-delete-deployment", "dynamic-create-update-delete-deployment"} {
		t.Run(name, func(t *testing.T) {
			out := output(t, ".", "", built(name), "-kubeconfig", kubeconfig)
			for _, want := range []string{`Created deployment "demo-deployment"`, "Updated deployment", " * demo-deployment (1 replicas)", "Deleted deployment"} {
				if !strings.Contains(out, want) {
					t.Errorf("it does not say %q:\n%s", want, out)
				}
			}
			// It deletes in the foreground. There is no garbage collector here to finish that.
			finish := []byte(`{"metadata":{"finalizers":null}}`)
			if _, err := clientset(t, adminConfig(t)).AppsV1().Deployments("default").Patch(deadline(t), "demo-deployment", types.MergePatchType, finish, metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("out-of-cluster-client-configuration", func(t *testing.T) {
		awaitLine(t, start(t, false, built("out-of-cluster-client-configuration"), "-kubeconfig", kubeconfig), "Pod example-xxxxx in namespace default not found")
	})
	t.Run("in-cluster-client-configuration", func(t *testing.T) {
		out, err := exec.CommandContext(deadline(t), built("in-cluster-client-configuration")).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "unable to load in-cluster configuration") {
			t.Errorf("outside of a cluster it ends with %v:\n%s", err, out)
		}
	})
	t.Run("workqueue", func(t *testing.T) {
		pods := clientset(t, adminConfig(t)).CoreV1().Pods("default")
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "queued-"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/web:1"}}},
		}
		created, err := pods.Create(deadline(t), pod, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		program := start(t, false, built("workqueue"), "-kubeconfig", kubeconfig)
		awaitLine(t, program, "Sync/Add/Update for Pod "+created.Name)
		if err := pods.Delete(deadline(t), created.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
			t.Fatal(err)
		}
		awaitLine(t, program, "Pod default/"+created.Name+" does not exist anymore")
	})
	t.Run("leader-election", func(t *testing.T) {
		ns := namespace(t)
		elect := func(id string) *running {
			return start(t, true, built("leader-election"), "-kubeconfig", kubeconfig, "-id", id, "-lease-lock-name", "example", "-lease-lock-namespace", ns)
		}
		first := elect("first")
		awaitLine(t, first, "Controller loop...")
		second := elect("second")
		awaitLine(t, second, "new leader elected: first")
		if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		awaitLine(t, first, "leader lost: first")
		awaitLine(t, second, "Controller loop...")
	})
}

// A running program is killed at the end of its test.
type running struct {
	cmd   *exec.Cmd
	lines chan string
}

// start starts a program whose standard output is read, or what it logs.
func start(t *testing.T, logs bool, name string, args ...string) *running {
	t.Helper()
	r := &running{exec.CommandContext(deadline(t), name, args...), make(chan string, 1000)}
	pipe := r.cmd.StdoutPipe
	if logs {
		pipe = r.cmd.StderrPipe
	}
	out, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go r.read(out)
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	})
	return r
}

func (r *running) read(out io.Reader) {
	defer close(r.lines)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		select {
		case r.lines <- lines.Text():
		default: // nobody reads any more
		}
	}
}

func awaitLine(t *testing.T, r *running, want string) {
	t.Helper()
	var before []string
	for timeout := time.After(time.Minute); ; {
		select {
		case line, open := <-r.lines:
			if strings.Contains(line, want) {
				return
			}
			if before = append(before, line); !open {
				t.Fatalf("it ended, and did not say %q:\n%s", want, strings.Join(before, "\n"))
			}
		case <-timeout:
			t.Fatalf("it did not say %q:\n%s", want, strings.Join(before, "\n"))
		}
	}
}
