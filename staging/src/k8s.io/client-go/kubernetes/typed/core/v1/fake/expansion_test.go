package fake

//lint:file-ignore SA1019 Programs call deprecated methods, too.

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"
)

var inShop = metav1.ObjectMeta{Name: "till", Namespace: "shop"}

func resource(name string) schema.GroupVersionResource {
	return corev1.SchemeGroupVersion.WithResource(name)
}

// call is one of a client, which returns an object, or nil if the call has none.
type call struct {
	do func(c *FakeCoreV1) (runtime.Object, error)
	// want is the action that is recorded.
	want clienttesting.Action
	// result is what a reactor returns. The call is to return it, if it returns
	// an object at all.
	result runtime.Object
}

// object makes an object of a result that may be a nil pointer.
func object[T any, P interface {
	*T
	runtime.Object
}](result P, err error) (runtime.Object, error) {
	if result == nil {
		return nil, err
	}
	return result, err
}

func create(resourceName, subresource, namespace string, object runtime.Object, opts metav1.CreateOptions) clienttesting.CreateActionImpl {
	action := clienttesting.NewCreateActionWithOptions(resource(resourceName), namespace, object, opts)
	action.Subresource = subresource
	return action
}

func calls() map[string]call {
	ctx := context.Background()
	binding := &corev1.Binding{ObjectMeta: inShop, Target: corev1.ObjectReference{Name: "rack"}}
	eviction := &policyv1.Eviction{ObjectMeta: inShop}
	evictionBeta := &policyv1beta1.Eviction{ObjectMeta: inShop}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	event := &corev1.Event{ObjectMeta: inShop}
	options := metav1.CreateOptions{FieldManager: "m"}
	patch := []byte(`{"count":2}`)
	statusPatch := []byte(`{"status":{}}`)
	return map[string]call{
		"Bind": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return nil, c.Pods("shop").Bind(ctx, binding, options)
			},
			want: create("pods", "binding", "shop", binding, options),
		},
		"Evict": {
			do:   func(c *FakeCoreV1) (runtime.Object, error) { return nil, c.Pods("shop").Evict(ctx, evictionBeta) },
			want: create("pods", "eviction", "shop", evictionBeta, metav1.CreateOptions{}),
		},
		"EvictV1": {
			do:   func(c *FakeCoreV1) (runtime.Object, error) { return nil, c.Pods("shop").EvictV1(ctx, eviction) },
			want: create("pods", "eviction", "shop", eviction, metav1.CreateOptions{}),
		},
		"EvictV1beta1": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return nil, c.Pods("shop").EvictV1beta1(ctx, evictionBeta)
			},
			want: create("pods", "eviction", "shop", evictionBeta, metav1.CreateOptions{}),
		},
		"Finalize": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return object(c.Namespaces().Finalize(ctx, namespace, metav1.UpdateOptions{}))
			},
			want:   create("namespaces", "finalize", "", namespace, metav1.CreateOptions{}),
			result: &corev1.Namespace{},
		},
		"PatchStatus": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return object(c.Nodes().PatchStatus(ctx, "rack", statusPatch))
			},
			want:   clienttesting.NewRootPatchSubresourceAction(resource("nodes"), "rack", types.StrategicMergePatchType, statusPatch, "status"),
			result: &corev1.Node{},
		},
		"CreateWithEventNamespace": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return object(c.Events("").CreateWithEventNamespace(event))
			},
			want:   clienttesting.NewCreateAction(resource("events"), "shop", event),
			result: &corev1.Event{},
		},
		"UpdateWithEventNamespace": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return object(c.Events("").UpdateWithEventNamespace(event))
			},
			want:   clienttesting.NewUpdateAction(resource("events"), "shop", event),
			result: &corev1.Event{},
		},
		"PatchWithEventNamespace": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return object(c.Events("").PatchWithEventNamespace(event, patch))
			},
			want:   clienttesting.NewPatchAction(resource("events"), "shop", "till", types.StrategicMergePatchType, patch),
			result: &corev1.Event{},
		},
		"CreateWithEventNamespace by a client for a namespace": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return object(c.Events("cellar").CreateWithEventNamespace(event))
			},
			want:   clienttesting.NewCreateAction(resource("events"), "cellar", event),
			result: &corev1.Event{},
		},
		"Search": {
			do: func(c *FakeCoreV1) (runtime.Object, error) {
				return object(c.Events("shop").Search(scheme.Scheme, &corev1.Pod{ObjectMeta: inShop}))
			},
			want:   clienttesting.NewListAction(resource("events"), corev1.SchemeGroupVersion.WithKind("Event"), "shop", metav1.ListOptions{}),
			result: &corev1.EventList{},
		},
	}
}

func TestCallsAreRecorded(t *testing.T) {
	for name, call := range calls() {
		t.Run(name, func(t *testing.T) {
			fake := &FakeCoreV1{Fake: &clienttesting.Fake{}}
			if _, err := call.do(fake); err != nil {
				t.Fatal(err)
			}
			if want := []clienttesting.Action{call.want}; !reflect.DeepEqual(fake.Actions(), want) {
				t.Errorf("recorded\n%#v, want\n%#v", fake.Actions(), want)
			}
		})
	}
}

func TestReactorsAnswerCalls(t *testing.T) {
	refused := errors.New("not today")
	for name, call := range calls() {
		for _, answer := range []struct {
			result runtime.Object
			err    error
		}{{call.result, nil}, {nil, nil}, {nil, refused}} {
			fake := &FakeCoreV1{Fake: &clienttesting.Fake{}}
			fake.AddReactor(call.want.GetVerb(), call.want.GetResource().Resource,
				func(clienttesting.Action) (bool, runtime.Object, error) { return true, answer.result, answer.err })
			result, err := call.do(fake)
			if result != answer.result || err != answer.err {
				t.Errorf("%s returns %v and error %v, want what the reactor returned: %v and %v", name, result, err, answer.result, answer.err)
			}
		}
	}
}

func TestCallsInAContextAreRecordedAlike(t *testing.T) {
	ctx, event := t.Context(), &corev1.Event{ObjectMeta: inShop}
	plain, inContext := &FakeCoreV1{Fake: &clienttesting.Fake{}}, &FakeCoreV1{Fake: &clienttesting.Fake{}}

	plain.Events("").CreateWithEventNamespace(event)
	plain.Events("").UpdateWithEventNamespace(event)
	plain.Events("").PatchWithEventNamespace(event, []byte("{}"))
	plain.Events("").Search(scheme.Scheme, event)

	inContext.Events("").CreateWithEventNamespaceWithContext(ctx, event)
	inContext.Events("").UpdateWithEventNamespaceWithContext(ctx, event)
	inContext.Events("").PatchWithEventNamespaceWithContext(ctx, event, []byte("{}"))
	inContext.Events("").SearchWithContext(ctx, scheme.Scheme, event)

	if len(plain.Actions()) != 4 || !reflect.DeepEqual(plain.Actions(), inContext.Actions()) {
		t.Errorf("recorded\n%#v, want\n%#v", inContext.Actions(), plain.Actions())
	}
}

func TestFieldSelectorIsAskedForAndSelectsAll(t *testing.T) {
	fake := &FakeCoreV1{Fake: &clienttesting.Fake{}}
	name := "till"
	if selector := fake.Events("shop").GetFieldSelector(&name, nil, nil, nil); !selector.Empty() {
		t.Errorf("the selector is %s", selector)
	}
	if actions := fake.Actions(); len(actions) != 1 || !actions[0].Matches("get-field-selector", "events") {
		t.Errorf("recorded %#v", actions)
	}
}

func TestLogs(t *testing.T) {
	options := &corev1.PodLogOptions{Container: "main"}
	for name, test := range map[string]struct {
		reactor   clienttesting.ReactionFunc
		namespace string
		options   *corev1.PodLogOptions
		want      string
		wantError string
	}{
		"of no reactor": {namespace: "shop", options: options, want: "fake logs"},
		"of a reactor": {
			reactor: func(action clienttesting.Action) (bool, runtime.Object, error) {
				given := action.(clienttesting.GenericAction).GetValue().(*corev1.PodLogOptions)
				return true, &runtime.Unknown{Raw: []byte("log of " + given.Container)}, nil
			},
			namespace: "shop", options: options, want: "log of main",
		},
		"of a reactor that leaves it to others": {
			reactor:   func(clienttesting.Action) (bool, runtime.Object, error) { return false, nil, nil },
			namespace: "shop", options: options, want: "fake logs",
		},
		"of a reactor that fails": {
			reactor:   func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, errors.New("not today") },
			namespace: "shop", options: options, wantError: "not today",
		},
		"of a reactor that returns something else": {
			reactor:   func(clienttesting.Action) (bool, runtime.Object, error) { return true, &corev1.Pod{}, nil },
			namespace: "shop", options: options, wantError: "expected reactor to return *runtime.Unknown, whose Raw is the log, and got a *v1.Pod",
		},
		"without a namespace": {options: options, want: "fake logs"},
		"without options":     {namespace: "shop", want: "fake logs"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &FakeCoreV1{Fake: &clienttesting.Fake{}}
			if test.reactor != nil {
				fake.AddReactor("get", "pods/log", test.reactor)
			}
			check := func(content string, err error) {
				t.Helper()
				if content != test.want || !errorHas(err, test.wantError) {
					t.Errorf("the log is %q with error %v, want %q with error %q", content, err, test.want, test.wantError)
				}
			}
			request := fake.Pods(test.namespace).GetLogs("till", test.options)
			raw, err := request.DoRaw(t.Context())
			check(string(raw), err)
			check(stream(t, fake.Pods(test.namespace).GetLogs("till", test.options)))

			if test.options == nil {
				return
			}
			want := clienttesting.GenericActionImpl{Value: test.options}
			want.Verb, want.Resource, want.Subresource, want.Namespace = "get", resource("pods"), "log", test.namespace
			if wanted := []clienttesting.Action{want, want}; !reflect.DeepEqual(fake.Actions(), wanted) {
				t.Errorf("recorded %#v, want %#v", fake.Actions(), wanted)
			}
		})
	}
}

func stream(t *testing.T, request *rest.Request) (string, error) {
	t.Helper()
	log, err := request.Stream(t.Context())
	if err != nil {
		return "", err
	}
	defer log.Close()
	content, err := io.ReadAll(log)
	return string(content), err
}

func errorHas(err error, want string) bool {
	if err == nil || want == "" {
		return err == nil && want == ""
	}
	return strings.Contains(err.Error(), want)
}

func TestLogsAreAskedForWhereTheServerHasThem(t *testing.T) {
	fake := &FakeCoreV1{Fake: &clienttesting.Fake{}}
	url := fake.Pods("shop").GetLogs("till", &corev1.PodLogOptions{Container: "main"}).URL()
	if want := "/api/v1/namespaces/shop/pods/till/log?container=main"; url.RequestURI() != want {
		t.Errorf("the request is for %s, want %s", url.RequestURI(), want)
	}
}

// response is one of a fake proxy.
type response string

func (r response) DoRaw(context.Context) ([]byte, error) { return []byte(r), nil }

func (r response) Stream(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(string(r))), nil
}

func TestProxyReactorsAnswerProxyGets(t *testing.T) {
	params := map[string]string{"a": "b"}
	for name, get := range map[string]func(*FakeCoreV1) rest.ResponseWrapper{
		"pods": func(c *FakeCoreV1) rest.ResponseWrapper {
			return c.Pods("shop").ProxyGet("https", "till", "80", "/x", params)
		},
		"services": func(c *FakeCoreV1) rest.ResponseWrapper {
			return c.Services("shop").ProxyGet("https", "till", "80", "/x", params)
		},
	} {
		fake := &FakeCoreV1{Fake: &clienttesting.Fake{}}
		fake.AddProxyReactor(name, func(clienttesting.Action) (bool, rest.ResponseWrapper, error) { return true, response("hello"), nil })
		if got := get(fake); got != rest.ResponseWrapper(response("hello")) {
			t.Errorf("the answer for %s is %v, want the reactor's", name, got)
		}
		want := []clienttesting.Action{clienttesting.NewProxyGetAction(resource(name), "shop", "https", "till", "80", "/x", params)}
		if !reflect.DeepEqual(fake.Actions(), want) {
			t.Errorf("recorded %#v, want %#v", fake.Actions(), want)
		}
	}
}
