package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	autoscalingapply "k8s.io/client-go/applyconfigurations/autoscaling/v1"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/transport/websocket"
)

// subresourceCases name the test of each sub-resource; status is part of every
// resource's life.
var subresourceCases = map[string]string{
	"pods/attach":                         "TestStreamsOfAPodWithoutNode",
	"pods/binding":                        "TestPodIsBound",
	"pods/ephemeralcontainers":            "TestEphemeralContainersAreAdded",
	"pods/eviction":                       "TestPodsAreEvicted",
	"pods/exec":                           "TestStreamsOfAPodWithoutNode",
	"pods/log":                            "TestLogsAndProxiesWithoutNode",
	"pods/portforward":                    "TestStreamsOfAPodWithoutNode",
	"pods/proxy":                          "TestLogsAndProxiesWithoutNode",
	"pods/resize":                         "TestPodIsResized",
	"nodes/proxy":                         "TestLogsAndProxiesWithoutNode",
	"services/proxy":                      "TestLogsAndProxiesWithoutNode",
	"namespaces/finalize":                 "TestEveryResourceOfTheServerLivesThroughItsTypedClient",
	"serviceaccounts/token":               "TestTokenOfAServiceAccountAuthenticates",
	"deployments/scale":                   "TestTypedScales",
	"replicasets/scale":                   "TestTypedScales",
	"statefulsets/scale":                  "TestTypedScales",
	"replicationcontrollers/scale":        "TestTypedScales",
	"certificatesigningrequests/approval": "TestCertificateSigningRequestIsApproved",
}

func TestEverySubresourceOfTheServerHasACase(t *testing.T) {
	t.Parallel()
	for _, r := range discover(t) {
		if !hasTypedClient(r.gvr.Group) {
			continue
		}
		for _, sub := range r.subresources {
			if sub != "status" && subresourceCases[r.Name+"/"+sub] == "" {
				t.Errorf("%s/%s has no case", r.gvr, sub)
			}
		}
	}
}

// create makes an object of testdata/objects.yaml and returns it, with what the
// server added.
func create[T any](t *testing.T, gvk schema.GroupVersionKind, namespace string, create func(context.Context, *T, metav1.CreateOptions) (*T, error)) *T {
	t.Helper()
	obj := new(T)
	fromManifest(t, newManifest(t, gvk, namespace, "single"), any(obj).(runtime.Object))
	created, err := create(deadline(t), obj, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

var podKind = corev1.SchemeGroupVersion.WithKind("Pod")

func newNode(t *testing.T) string {
	t.Helper()
	nodes := clientset(t, adminConfig(t)).CoreV1().Nodes()
	node := create(t, corev1.SchemeGroupVersion.WithKind("Node"), "", nodes.Create)
	t.Cleanup(func() {
		if err := nodes.Delete(context.Background(), node.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return node.Name
}

func TestPodIsBound(t *testing.T) {
	t.Parallel()
	ns, node := namespace(t), newNode(t)
	pods := clientset(t, adminConfig(t)).CoreV1().Pods(ns)
	pod := create(t, podKind, ns, pods.Create)
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: ns},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}
	if err := pods.Bind(deadline(t), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := pods.Get(deadline(t), pod.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Spec.NodeName != node {
		t.Errorf("the pod is on node %q, want %q", got.Spec.NodeName, node)
	}
	if err := pods.Bind(deadline(t), binding, metav1.CreateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("bind again: %v, want a Conflict error", err)
	}
	zero := int64(0)
	if err := pods.Delete(deadline(t), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
		t.Error(err)
	}
}

// TestPodIsBoundThroughBindings: the older way, a collection that can be written to
// and not read. The typed client has no Bindings, so this goes through REST.
func TestPodIsBoundThroughBindings(t *testing.T) {
	t.Parallel()
	ns, node := namespace(t), newNode(t)
	core := clientset(t, adminConfig(t)).CoreV1()
	pod := create(t, podKind, ns, core.Pods(ns).Create)
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: ns},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}
	err := core.RESTClient().Post().Namespace(ns).Resource("bindings").Body(binding).Do(deadline(t)).Error()
	if err != nil {
		t.Fatal(err)
	}
	got, err := core.Pods(ns).Get(deadline(t), pod.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Spec.NodeName != node {
		t.Errorf("the pod is on node %q, want %q", got.Spec.NodeName, node)
	}
	zero := int64(0)
	if err := core.Pods(ns).Delete(deadline(t), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
		t.Error(err)
	}
}

func TestPodsAreEvicted(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	cs := clientset(t, adminConfig(t))
	pods := cs.CoreV1().Pods(ns)
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: ns} }
	for name, evict := range map[string]func(ctx context.Context, pod string) error{
		"Evict": func(ctx context.Context, pod string) error {
			//lint:ignore SA1019 programs still call it, and its error must be typed
			return pods.Evict(ctx, &policyv1beta1.Eviction{ObjectMeta: named(pod)})
		},
		"EvictV1beta1": func(ctx context.Context, pod string) error {
			return pods.EvictV1beta1(ctx, &policyv1beta1.Eviction{ObjectMeta: named(pod)})
		},
		"EvictV1": func(ctx context.Context, pod string) error {
			return pods.EvictV1(ctx, &policyv1.Eviction{ObjectMeta: named(pod)})
		},
		"PolicyV1": func(ctx context.Context, pod string) error {
			return cs.PolicyV1().Evictions(ns).Evict(ctx, &policyv1.Eviction{ObjectMeta: named(pod)})
		},
		"PolicyV1beta1": func(ctx context.Context, pod string) error {
			return cs.PolicyV1beta1().Evictions(ns).Evict(ctx, &policyv1beta1.Eviction{ObjectMeta: named(pod)})
		},
	} {
		pod := create(t, podKind, ns, pods.Create)
		if err := evict(deadline(t), pod.Name); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := pods.Get(deadline(t), pod.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("%s: the pod is still there: %v", name, err)
		}
		if err := evict(deadline(t), pod.Name); !apierrors.IsNotFound(err) {
			t.Errorf("%s of no pod: %v, want a NotFound error", name, err)
		}
	}
}

func TestEphemeralContainersAreAdded(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	pods := clientset(t, adminConfig(t)).CoreV1().Pods(ns)
	pod := create(t, podKind, ns, pods.Create)
	pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "example.com/debug:1"},
	}}
	updated, err := pods.UpdateEphemeralContainers(deadline(t), pod.Name, pod, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(updated.Spec.EphemeralContainers) != 1 || updated.Spec.EphemeralContainers[0].Name != "debug" {
		t.Errorf("ephemeral containers: %v", updated.Spec.EphemeralContainers)
	}
	patched, err := pods.Patch(deadline(t), pod.Name, "application/strategic-merge-patch+json",
		[]byte(`{"spec":{"ephemeralContainers":[{"name":"more","image":"example.com/debug:2"}]}}`), metav1.PatchOptions{}, "ephemeralcontainers")
	if err != nil {
		t.Fatal(err)
	}
	if len(patched.Spec.EphemeralContainers) != 2 {
		t.Errorf("ephemeral containers after a patch of the sub-resource: %v", patched.Spec.EphemeralContainers)
	}
}

func TestPodIsResized(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	pods := clientset(t, adminConfig(t)).CoreV1().Pods(ns)
	pod := create(t, podKind, ns, pods.Create)
	pod.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("150m")
	resized, err := pods.UpdateResize(deadline(t), pod.Name, pod, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := resized.Spec.Containers[0].Resources.Requests.Cpu().String(); got != "150m" {
		t.Errorf("requests %s of CPU, want 150m", got)
	}
}

func TestTokenOfAServiceAccountAuthenticates(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	accounts := clientset(t, adminConfig(t)).CoreV1().ServiceAccounts(ns)
	account := create(t, corev1.SchemeGroupVersion.WithKind("ServiceAccount"), ns, accounts.Create)
	seconds := int64(600)
	request, err := accounts.CreateToken(deadline(t), account.Name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := anonymous(adminConfig(t))
	config.BearerToken = request.Status.Token
	mustBeUser(t, config, fmt.Sprintf("system:serviceaccount:%s:%s", ns, account.Name))
}

func TestTypedScales(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	cs := clientset(t, adminConfig(t))
	apps := cs.AppsV1()
	type scales interface {
		GetScale(context.Context, string, metav1.GetOptions) (*autoscalingv1.Scale, error)
		UpdateScale(context.Context, string, *autoscalingv1.Scale, metav1.UpdateOptions) (*autoscalingv1.Scale, error)
	}
	type appliesScale interface {
		ApplyScale(context.Context, string, *autoscalingapply.ScaleApplyConfiguration, metav1.ApplyOptions) (*autoscalingv1.Scale, error)
	}
	appsKind := func(kind string) schema.GroupVersionKind {
		return schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: kind}
	}
	for _, c := range []struct {
		name   string
		client scales
		want   int32
	}{
		{create(t, appsKind("Deployment"), ns, apps.Deployments(ns).Create).Name, apps.Deployments(ns), 3},
		{create(t, appsKind("ReplicaSet"), ns, apps.ReplicaSets(ns).Create).Name, apps.ReplicaSets(ns), 3},
		{create(t, appsKind("StatefulSet"), ns, apps.StatefulSets(ns).Create).Name, apps.StatefulSets(ns), 3},
		{create(t, corev1.SchemeGroupVersion.WithKind("ReplicationController"), ns, cs.CoreV1().ReplicationControllers(ns).Create).Name, cs.CoreV1().ReplicationControllers(ns), 2},
	} {
		scale, err := c.client.GetScale(deadline(t), c.name, metav1.GetOptions{})
		if err != nil {
			t.Errorf("%T: %v", c.client, err)
			continue
		}
		if scale.Spec.Replicas != c.want {
			t.Errorf("%T: scale %d, want %d", c.client, scale.Spec.Replicas, c.want)
		}
		scale.Spec.Replicas = 7
		if scale, err = c.client.UpdateScale(deadline(t), c.name, scale, metav1.UpdateOptions{}); err != nil || scale.Spec.Replicas != 7 {
			t.Errorf("%T: update: %v, %v", c.client, scale, err)
		}
		client, ok := c.client.(appliesScale)
		if !ok {
			continue // replication controllers have no ApplyScale
		}
		applied, err := client.ApplyScale(deadline(t), c.name,
			autoscalingapply.Scale().WithSpec(autoscalingapply.ScaleSpec().WithReplicas(9)),
			metav1.ApplyOptions{FieldManager: "e2e", Force: true})
		if err != nil || applied.Spec.Replicas != 9 {
			t.Errorf("%T: apply: %v, %v", c.client, applied, err)
		}
	}
}

func TestCertificateSigningRequestIsApproved(t *testing.T) {
	t.Parallel()
	requests := clientset(t, adminConfig(t)).CertificatesV1().CertificateSigningRequests()
	request := create(t, certificatesv1.SchemeGroupVersion.WithKind("CertificateSigningRequest"), "", requests.Create)
	t.Cleanup(func() { requests.Delete(context.Background(), request.Name, metav1.DeleteOptions{}) })
	request.Status.Conditions = append(request.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "Tested", Message: "by a test",
	})
	approved, err := requests.UpdateApproval(deadline(t), request.Name, request, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(approved.Status.Conditions) != 1 || approved.Status.Conditions[0].Type != certificatesv1.CertificateApproved {
		t.Errorf("conditions: %v", approved.Status.Conditions)
	}
}

// A pod that no node has taken yet has an empty log.
func isNil(err error) bool { return err == nil }

// TestLogsAndProxiesWithoutNode: there is no kubelet to answer, and the API server
// says so, in errors that tell what was asked for.
func TestLogsAndProxiesWithoutNode(t *testing.T) {
	t.Parallel()
	ns, node := namespace(t), newNode(t)
	config := adminConfig(t)
	sent := recordRequests(config)
	core := clientset(t, config).CoreV1()
	pod := create(t, podKind, ns, core.Pods(ns).Create)
	service := create(t, corev1.SchemeGroupVersion.WithKind("Service"), ns, core.Services(ns).Create)
	tail := int64(10)
	for _, c := range []struct {
		name string
		get  func() ([]byte, error)
		path string
		is   func(error) bool
	}{
		{"log", func() ([]byte, error) {
			return core.Pods(ns).GetLogs(pod.Name, &corev1.PodLogOptions{Container: "web", TailLines: &tail}).DoRaw(deadline(t))
		}, "/api/v1/namespaces/" + ns + "/pods/" + pod.Name + "/log", isNil},
		{"log of no pod", func() ([]byte, error) {
			return core.Pods(ns).GetLogs("nothing", &corev1.PodLogOptions{}).DoRaw(deadline(t))
		}, "/api/v1/namespaces/" + ns + "/pods/nothing/log", apierrors.IsNotFound},
		{"pod proxy", func() ([]byte, error) {
			return core.Pods(ns).ProxyGet("http", pod.Name, "80", "a/b", map[string]string{"q": "x"}).DoRaw(deadline(t))
		}, "/api/v1/namespaces/" + ns + "/pods/http:" + pod.Name + ":80/proxy/a/b", apierrors.IsBadRequest},
		{"service proxy", func() ([]byte, error) {
			return core.Services(ns).ProxyGet("http", service.Name, "web", "a/b", nil).DoRaw(deadline(t))
		}, "/api/v1/namespaces/" + ns + "/services/http:" + service.Name + ":web/proxy/a/b", func(err error) bool {
			// A controller, where there is one, has made an empty list of endpoints.
			return apierrors.IsNotFound(err) || apierrors.IsServiceUnavailable(err)
		}},
		{"node proxy", func() ([]byte, error) {
			return core.RESTClient().Get().Resource("nodes").Name(node).SubResource("proxy").Suffix("metrics").DoRaw(deadline(t))
		}, "/api/v1/nodes/" + node + "/proxy/metrics", func(err error) bool {
			return err != nil && apierrors.ReasonForError(err) != metav1.StatusReasonUnknown
		}},
	} {
		_, err := c.get()
		if !c.is(err) {
			t.Errorf("%s: %v (reason %q)", c.name, err, apierrors.ReasonForError(err))
		}
		sent.mustBe(t, "GET", c.path)
	}
}

// TestStreamsOfAPodWithoutNode: the API server refuses to upgrade the connection,
// and the refusal's message arrives.
func TestStreamsOfAPodWithoutNode(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	config := adminConfig(t)
	core := clientset(t, config).CoreV1()
	pod := create(t, podKind, ns, core.Pods(ns).Create)
	for _, sub := range []string{"exec", "attach", "portforward"} {
		req := core.RESTClient().Post().Namespace(ns).Resource("pods").Name(pod.Name).SubResource(sub).
			Param("command", "true").Param("stdout", "true").Param("container", "web")
		for protocol, upgrade := range map[string]func() error{
			"SPDY": func() error {
				transport, upgrader, err := spdy.RoundTripperFor(config)
				if err != nil {
					return err
				}
				_, _, err = spdy.NewDialer(upgrader, &http.Client{Transport: transport}, "POST", req.URL()).Dial("v4.channel.k8s.io")
				return err
			},
			"WebSocket": func() error {
				transport, holder, err := websocket.RoundTripperFor(config)
				if err != nil {
					return err
				}
				get, err := http.NewRequestWithContext(deadline(t), "GET", req.URL().String(), nil)
				if err != nil {
					return err
				}
				_, err = websocket.Negotiate(transport, holder, get, "v5.channel.k8s.io")
				return err
			},
		} {
			if err := upgrade(); err == nil || !strings.Contains(err.Error(), "does not have a host assigned") {
				t.Errorf("%s over %s: %v, want the server's reason", sub, protocol, err)
			}
		}
	}
}
