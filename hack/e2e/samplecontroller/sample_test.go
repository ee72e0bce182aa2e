// Package samplecontroller tests the staged sample-controller as its README runs it: the
// program, against a real API server.
package samplecontroller

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/publisher/hack/e2e/controlplane"
	"sigs.k8s.io/yaml"
)

const sample = "../../../staging/src/k8s.io/sample-controller"

var (
	crds  = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	pages = schema.GroupVersionResource{Group: "pages.sample.dev", Version: "v1alpha1", Resource: "pages"}
)

// A cluster has the CRD, and the program to run against it.
type cluster struct {
	t          *testing.T
	kubeconfig string
	binary     string
	client     kubernetes.Interface
	pages      dynamic.ResourceInterface
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t, binary: filepath.Join(t.TempDir(), "sample-controller")}
	build := exec.Command("go", "build", "-o", c.binary, ".")
	build.Dir = sample
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building sample-controller: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute)
	defer cancel()
	if os.Getenv("CONTROLPLANE_BIN") == "" {
		if _, err := controlplane.Build(ctx, os.Stderr, controlplane.Etcd, controlplane.APIServer); err != nil {
			t.Fatal(err)
		}
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	c.kubeconfig = plane.AdminKubeconfig
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	c.client = kubernetes.NewForConfigOrDie(config)
	d := dynamic.NewForConfigOrDie(config)
	c.pages = d.Resource(pages).Namespace("default")

	if _, err := d.Resource(crds).Create(ctx, c.manifest("crd.yaml"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.eventually("pages are served", func() error {
		_, err := c.pages.List(ctx, metav1.ListOptions{})
		return err
	})
	return c
}

// manifest reads one of the files that the README applies.
func (c *cluster) manifest(name string) *unstructured.Unstructured {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(sample, "config", name))
	if err != nil {
		c.t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(content, &object.Object); err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	return object
}

// A process is a running controller.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	log     bytes.Buffer
	address string
	exited  chan error
}

func (c *cluster) start() *process {
	c.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	listener.Close()
	p := &process{t: c.t, address: listener.Addr().String(), exited: make(chan error, 1)}
	p.cmd = exec.Command(c.binary, "--kubeconfig", c.kubeconfig, "--address", p.address)
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait() }()
	c.t.Cleanup(func() {
		p.cmd.Process.Kill()
		if c.t.Failed() {
			c.t.Logf("log of %s:\n%s", p.address, p.log.String())
		}
	})
	return p
}

// get returns what is served at a path, or an error.
func (p *process) get(path string) (string, error) {
	response, err := http.Get("http://" + p.address + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

func (p *process) leads() error {
	body, err := p.get("/leader")
	if err == nil && strings.TrimSpace(body) != "true" {
		err = fmt.Errorf("/leader says %q", body)
	}
	return err
}

// stop ends the process as a kubelet does, and expects it to end well.
func (p *process) stop() {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.exited:
		if err != nil {
			p.t.Errorf("after a termination signal: %v", err)
		}
	case <-time.After(time.Minute):
		p.t.Error("it runs a minute after a termination signal")
	}
}

// eventually waits until something holds.
func (c *cluster) eventually(what string, holds func() error) {
	c.t.Helper()
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = holds(); err == nil {
			return
		}
	}
	c.t.Fatalf("%s: %v", what, err)
}

// page makes a page, the example's under another name.
func (c *cluster) page(name string) *unstructured.Unstructured {
	c.t.Helper()
	page := c.manifest("page.yaml")
	page.SetName(name)
	created, err := c.pages.Create(c.t.Context(), page, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return created
}

// published tells whether a page says so, or with which reason not.
func (c *cluster) condition(name, status, reason string) func() error {
	return func() error {
		page, err := c.pages.Get(c.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		observed, _, _ := unstructured.NestedInt64(page.Object, "status", "observedGeneration")
		conditions, _, _ := unstructured.NestedSlice(page.Object, "status", "conditions")
		for _, condition := range conditions {
			m := condition.(map[string]any)
			if m["type"] == "Published" && m["status"] == status && m["reason"] == reason && observed == page.GetGeneration() {
				return nil
			}
		}
		return fmt.Errorf("the status is %v", page.Object["status"])
	}
}

func (c *cluster) html(name, want string) func() error {
	return func() error {
		configMap, err := c.client.CoreV1().ConfigMaps("default").Get(c.t.Context(), name, metav1.GetOptions{})
		if err == nil && !strings.Contains(configMap.Data["index.html"], want) {
			err = fmt.Errorf("index.html is %q, without %q", configMap.Data["index.html"], want)
		}
		return err
	}
}

func TestSampleController(t *testing.T) {
	c := newCluster(t)
	first := c.start()
	c.eventually("the first one leads", first.leads)

	t.Run("a page becomes a ConfigMap that it owns", func(t *testing.T) {
		page := c.page("hello")
		c.eventually("published", c.condition("hello", "True", "Written"))
		configMap, err := c.client.CoreV1().ConfigMaps("default").Get(t.Context(), "hello", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !metav1.IsControlledBy(configMap, page) {
			t.Errorf("the owners are %v", configMap.OwnerReferences)
		}
		if err := c.html("hello", "<h1>Hello</h1>\n<p>This page is a ConfigMap.</p>")(); err != nil {
			t.Error(err)
		}
	})
	t.Run("an event tells", func(t *testing.T) {
		c.eventually("event", func() error {
			events, err := c.client.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{
				FieldSelector: "involvedObject.kind=Page,involvedObject.name=hello,reason=Written",
			})
			if err == nil && len(events.Items) == 0 {
				err = fmt.Errorf("there is none")
			}
			return err
		})
	})
	t.Run("a change of the page is published", func(t *testing.T) {
		patch := []byte(`{"spec":{"title":"A & B"}}`)
		if _, err := c.pages.Patch(t.Context(), "hello", "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		c.eventually("changed", c.html("hello", "<h1>A &amp; B</h1>"))
		c.eventually("published", c.condition("hello", "True", "Written"))
	})
	t.Run("a ConfigMap that is lost or changed is restored, and labels of others stay", func(t *testing.T) {
		maps := c.client.CoreV1().ConfigMaps("default")
		patch := []byte(`{"metadata":{"labels":{"mine":"yes"}},"data":{"index.html":"defaced"}}`)
		if _, err := maps.Patch(t.Context(), "hello", "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		c.eventually("restored", c.html("hello", "<h1>A &amp; B</h1>"))
		if restored, err := maps.Get(t.Context(), "hello", metav1.GetOptions{}); err != nil || restored.Labels["mine"] != "yes" {
			t.Errorf("the labels are %v, %v", restored.Labels, err)
		}
		if err := maps.Delete(t.Context(), "hello", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		c.eventually("made anew", c.html("hello", "<h1>A &amp; B</h1>"))
	})
	t.Run("a ConfigMap of somebody else's is left alone", func(t *testing.T) {
		other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "taken"}, Data: map[string]string{"index.html": "mine"}}
		if _, err := c.client.CoreV1().ConfigMaps("default").Create(t.Context(), other, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.page("taken")
		c.eventually("refused", c.condition("taken", "False", "Taken"))
		if err := c.html("taken", "mine")(); err != nil {
			t.Error(err)
		}
	})
	t.Run("it is healthy and tells how it fares", func(t *testing.T) {
		if body, err := first.get("/healthz"); err != nil || body != "ok\n" {
			t.Errorf("/healthz: %q, %v", body, err)
		}
		metrics, err := first.get("/metrics")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"sample_controller_leader 1", `sample_controller_reconciles_total{result="ok"}`, `workqueue_adds_total{name="pages"}`} {
			if !strings.Contains(metrics, line) {
				t.Errorf("/metrics has no line %s", line)
			}
		}
	})
	t.Run("another one takes over at once when the leader is told to end", func(t *testing.T) {
		second := c.start()
		c.eventually("the second one is there", func() error { _, err := second.get("/healthz"); return err })
		if err := second.leads(); err == nil {
			t.Error("two lead")
		}
		first.stop()
		began := time.Now()
		c.eventually("the second one leads", second.leads)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v, as if the lease had not been given up", took)
		}
		c.page("late")
		c.eventually("published", c.condition("late", "True", "Written"))
		if err := c.pages.Delete(t.Context(), "late", metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
		second.stop()
	})
}
