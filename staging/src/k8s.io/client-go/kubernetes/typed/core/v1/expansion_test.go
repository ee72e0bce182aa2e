package v1_test

import (
	"context"
	"io"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/kubernetes/typed/internal/servertest"
	"k8s.io/client-go/rest"
)

func client(config *rest.Config) *typedcorev1.CoreV1Client {
	return typedcorev1.NewForConfigOrDie(config)
}

// without gives a call that has no result the shape of one that has.
func without(call func(ctx context.Context, client *typedcorev1.CoreV1Client) error) func(context.Context, *rest.Config) (any, error) {
	return func(ctx context.Context, config *rest.Config) (any, error) {
		return nil, call(ctx, client(config))
	}
}

// text gives a call whose result is a text the shape of one that returns it.
func text(call func(client *typedcorev1.CoreV1Client) rest.ResponseWrapper) func(context.Context, *rest.Config) (any, error) {
	return func(ctx context.Context, config *rest.Config) (any, error) {
		content, err := call(client(config)).DoRaw(ctx)
		return string(content), err
	}
}

var inShop = metav1.ObjectMeta{Name: "till", Namespace: "shop"}

func TestPodSubresources(t *testing.T) {
	binding := &corev1.Binding{ObjectMeta: inShop, Target: corev1.ObjectReference{Kind: "Node", Name: "rack"}}
	eviction := &policyv1.Eviction{ObjectMeta: inShop}
	evictionBeta := &policyv1beta1.Eviction{ObjectMeta: inShop}
	wantEviction := servertest.Request{
		Method: "POST", Path: "/api/v1/namespaces/shop/pods/till/eviction",
		Kind: "policy/v1, Kind=Eviction", Object: eviction,
	}
	wantEvictionBeta := wantEviction
	wantEvictionBeta.Kind, wantEvictionBeta.Object = "policy/v1beta1, Kind=Eviction", evictionBeta

	servertest.Run(t, map[string]servertest.Call{
		"Bind": {
			Do: without(func(ctx context.Context, c *typedcorev1.CoreV1Client) error {
				return c.Pods("shop").Bind(ctx, binding, metav1.CreateOptions{DryRun: []string{"All"}, FieldManager: "scheduler"})
			}),
			Want: servertest.Request{
				Method: "POST", Path: "/api/v1/namespaces/shop/pods/till/binding", Query: "dryRun=All&fieldManager=scheduler",
				Kind: "v1, Kind=Binding", Object: binding,
			},
		},
		"Evict": {
			Do: without(func(ctx context.Context, c *typedcorev1.CoreV1Client) error {
				return c.Pods("shop").Evict(ctx, evictionBeta)
			}),
			Want: wantEvictionBeta,
		},
		"EvictV1": {
			Do: without(func(ctx context.Context, c *typedcorev1.CoreV1Client) error {
				return c.Pods("shop").EvictV1(ctx, eviction)
			}),
			Want: wantEviction,
		},
		"EvictV1beta1": {
			Do: without(func(ctx context.Context, c *typedcorev1.CoreV1Client) error {
				return c.Pods("shop").EvictV1beta1(ctx, evictionBeta)
			}),
			Want: wantEvictionBeta,
		},
	})
}

func TestDisruptionBudgetRefusesEvictionAsTooManyRequests(t *testing.T) {
	server := servertest.Start(t)
	server.Answer(&metav1.Status{
		Status: metav1.StatusFailure, Code: 429, Reason: metav1.StatusReasonTooManyRequests,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: policyv1.DisruptionBudgetCause}}},
	})
	err := client(server.Config("")).Pods("shop").EvictV1(t.Context(), &policyv1.Eviction{ObjectMeta: inShop})
	if !apierrors.IsTooManyRequests(err) || !apierrors.HasStatusCause(err, policyv1.DisruptionBudgetCause) {
		t.Errorf("got error %v, want one that tells of the budget", err)
	}
}

func TestLogsAreReadWithTheirOptions(t *testing.T) {
	lines, since := int64(7), metav1.NewTime(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC))
	options := &corev1.PodLogOptions{Container: "main", Follow: true, Previous: true, TailLines: &lines, SinceTime: &since}
	want := servertest.Request{
		Method: "GET", Path: "/api/v1/namespaces/shop/pods/till/log",
		Query: "container=main&follow=true&previous=true&sinceTime=2024-05-06T07%3A08%3A09Z&tailLines=7",
	}
	servertest.Run(t, map[string]servertest.Call{
		"DoRaw": {
			Do: text(func(c *typedcorev1.CoreV1Client) rest.ResponseWrapper {
				return c.Pods("shop").GetLogs("till", options)
			}),
			Want: want, Answer: "one\ntwo\n",
		},
		"Stream": {
			Do: func(ctx context.Context, config *rest.Config) (any, error) {
				stream, err := client(config).Pods("shop").GetLogs("till", options).Stream(ctx)
				if err != nil {
					return nil, err
				}
				defer stream.Close()
				content, err := io.ReadAll(stream)
				return string(content), err
			},
			Want: want, Answer: "one\ntwo\n",
		},
		"no options": {
			Do: text(func(c *typedcorev1.CoreV1Client) rest.ResponseWrapper {
				return c.Pods("shop").GetLogs("till", &corev1.PodLogOptions{})
			}),
			Want: servertest.Request{Method: "GET", Path: want.Path}, Answer: "",
		},
	})
}

func TestProxyGetNamesSchemePortAndPath(t *testing.T) {
	type proxyGetter interface {
		ProxyGet(scheme, name, port, path string, params map[string]string) rest.ResponseWrapper
	}
	for resource, of := range map[string]func(*typedcorev1.CoreV1Client) proxyGetter{
		"pods":     func(c *typedcorev1.CoreV1Client) proxyGetter { return c.Pods("shop") },
		"services": func(c *typedcorev1.CoreV1Client) proxyGetter { return c.Services("shop") },
	} {
		below := "/api/v1/namespaces/shop/" + resource
		calls := map[string]servertest.Call{}
		for name, test := range map[string]struct {
			scheme, port, path string
			params             map[string]string
			wantPath, wantQ    string
		}{
			"defaults":      {wantPath: "/till/proxy"},
			"path":          {path: "metrics/all", wantPath: "/till/proxy/metrics/all"},
			"path from /":   {path: "/metrics", wantPath: "/till/proxy/metrics"},
			"port":          {port: "8080", wantPath: "/till:8080/proxy"},
			"scheme":        {scheme: "https", wantPath: "/https:till:/proxy"},
			"all":           {scheme: "https", port: "web", path: "a", wantPath: "/https:till:web/proxy/a"},
			"parameters":    {path: "a", params: map[string]string{"z": "1", "b": "x y"}, wantPath: "/till/proxy/a", wantQ: "b=x+y&z=1"},
			"escaped chars": {path: "a b?c", wantPath: "/till/proxy/a%20b%3Fc"},
		} {
			calls[resource+"/"+name] = servertest.Call{
				Do: text(func(c *typedcorev1.CoreV1Client) rest.ResponseWrapper {
					return of(c).ProxyGet(test.scheme, "till", test.port, test.path, test.params)
				}),
				Want:   servertest.Request{Method: "GET", Path: below + test.wantPath, Query: test.wantQ},
				Answer: "hello",
			}
		}
		servertest.Run(t, calls)
	}
}

func TestFinalizeAndPatchStatus(t *testing.T) {
	namespace := &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec:       corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"example.com/audit"}},
	}
	servertest.Run(t, map[string]servertest.Call{
		"Finalize": {
			Do: func(ctx context.Context, config *rest.Config) (any, error) {
				return client(config).Namespaces().Finalize(ctx, namespace, metav1.UpdateOptions{FieldManager: "auditor"})
			},
			Want: servertest.Request{
				Method: "PUT", Path: "/api/v1/namespaces/shop/finalize", Query: "fieldManager=auditor",
				Kind: "v1, Kind=Namespace", Object: namespace,
			},
			Answer: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", ResourceVersion: "8"}},
		},
		"PatchStatus": {
			Do: func(ctx context.Context, config *rest.Config) (any, error) {
				return client(config).Nodes().PatchStatus(ctx, "rack", []byte(`{"status":{}}`))
			},
			Want: servertest.Request{
				Method: "PATCH", Path: "/api/v1/nodes/rack/status",
				Patch: `application/strategic-merge-patch+json {"status":{}}`,
			},
			Answer: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "rack", ResourceVersion: "8"}},
		},
	})
}
