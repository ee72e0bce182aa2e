package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport"
	"k8s.io/publisher/hack/e2e/controlplane"
)

// What is off by default is tested too: every API, and CBOR.
var serverArgs = []string{
	"--runtime-config=api/all=true",
	"--feature-gates=CBORServingAndStorage=true,ClusterTrustBundle=true,PodCertificateRequest=true,GenericWorkload=true,StorageVersionMigrator=true,CoordinatedLeaderElection=true",
}

var (
	// kubeconfig is the administrator's, of the cluster that all tests share.
	kubeconfig string
	// shared is that cluster's control plane; nil where it is somebody else's.
	shared *controlplane.ControlPlane
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Certificates on disk are looked at every few minutes; no test can wait for that.
	transport.CertCallbackRefreshDuration = 100 * time.Millisecond
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if kubeconfig = os.Getenv("E2E_KUBECONFIG"); kubeconfig != "" {
		return m.Run(), nil
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	// A build takes minutes, so it is told of.
	if os.Getenv("CONTROLPLANE_BIN") == "" {
		if _, err := controlplane.Build(ctx, os.Stderr, controlplane.Etcd, controlplane.APIServer, controlplane.Kubectl); err != nil {
			return 1, err
		}
	}
	shared, err = controlplane.Start(ctx, controlplane.Options{APIServerArgs: serverArgs})
	if err != nil {
		return 1, err
	}
	kubeconfig = shared.AdminKubeconfig
	go func() {
		<-ctx.Done()
		if !finished.Load() {
			shared.Stop()
			os.Exit(130)
		}
	}()
	code = m.Run()
	finished.Store(true)
	return code, shared.Stop()
}

// finished tells an interrupt from the end of the tests.
var finished atomic.Bool

// ownCluster is the control plane that the tests share, for tests that look at the
// server itself.
func ownCluster(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	if shared == nil {
		t.Skip("needs a control plane of its own, and E2E_KUBECONFIG is set")
	}
	return shared
}

// newCluster is a control plane for one test, which may do to it what it likes.
func newCluster(t *testing.T, args ...string) *controlplane.ControlPlane {
	t.Helper()
	if shared == nil {
		t.Skip("needs a control plane of its own, and E2E_KUBECONFIG is set")
	}
	cp, err := controlplane.Start(t.Context(), controlplane.Options{APIServerArgs: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cp
}

// adminConfig is a new configuration of the administrator, without a limit of its
// own on the rate of requests.
func adminConfig(t *testing.T) *rest.Config {
	t.Helper()
	return configFrom(t, kubeconfig)
}

func configFrom(t *testing.T, path string) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{} // of deprecated APIs: they are tested too
	return config
}

// anonymous is config without any credentials.
func anonymous(config *rest.Config) *rest.Config { return rest.AnonymousClientConfig(config) }

func clientset(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	cs, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

// deadline is a context that ends long after any test should have.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

var lastNumber atomic.Int64

// number is one that no other part of this run has.
func number() int64 { return lastNumber.Add(1) }

// namespace makes a namespace for a test.
func namespace(t *testing.T) string {
	t.Helper()
	namespaces := clientset(t, adminConfig(t)).CoreV1().Namespaces()
	ns, err := namespaces.Create(deadline(t), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's context has ended. A namespace that a controller is to empty need
		// not be waited for.
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := namespaces.Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete the test's namespace: %v", err)
		}
	})
	return ns.Name
}

// eventually calls cond until it returns nil, and fails the test with what it
// returned last when more than the minute has gone by that some caches last.
func eventually(t *testing.T, what string, cond func(ctx context.Context) error) {
	t.Helper()
	eventuallyWithin(t, 90*time.Second, what, cond)
}

// eventuallyWithin is eventually with another limit.
func eventuallyWithin(t *testing.T, limit time.Duration, what string, cond func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := cond(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-time.After(pause):
		}
	}
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"key": name}}
}
