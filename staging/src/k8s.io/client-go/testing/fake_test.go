package testing_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"
)

var (
	pods    = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	podKind = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
)

func newPod(namespace, name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func answering(handled bool, name string, err error) clienttesting.ReactionFunc {
	return func(clienttesting.Action) (bool, runtime.Object, error) { return handled, newPod("", name), err }
}

func nameOf(obj runtime.Object) string {
	if obj == nil {
		return ""
	}
	return obj.(*corev1.Pod).Name
}

func TestFirstReactorThatHandlesAnActionAnswers(t *testing.T) {
	fake := &clienttesting.Fake{}
	get := clienttesting.NewGetAction(pods, "ns", "web")
	if obj, err := fake.Invokes(get, newPod("", "default")); nameOf(obj) != "default" || err != nil {
		t.Errorf("without reactors the answer is %v, %v", obj, err)
	}
	failure := errors.New("failure")
	fake.AddReactor("*", "*", answering(true, "last", failure))
	fake.PrependReactor("get", "pods", answering(false, "passes on", errors.New("does not count")))
	fake.PrependReactor("delete", "pods", answering(true, "another verb", nil))
	fake.PrependReactor("get", "secrets", answering(true, "another resource", nil))
	if obj, err := fake.Invokes(get, nil); nameOf(obj) != "last" || err != failure {
		t.Errorf("the answer is %v, %v", obj, err)
	}
	if n := len(fake.Actions()); n != 2 {
		t.Errorf("%d actions", n)
	}
	fake.ClearActions()
	if n := len(fake.Actions()); n != 0 {
		t.Errorf("%d actions left", n)
	}
}

func TestWatchesAndProxiesHaveChainsOfTheirOwn(t *testing.T) {
	fake := &clienttesting.Fake{}
	action := clienttesting.NewWatchAction(pods, "ns", metav1.ListOptions{})
	if _, err := fake.InvokesWatch(action); err == nil || !strings.Contains(err.Error(), "unhandled watch") {
		t.Errorf("got error %v", err)
	}
	first, second := watch.NewFake(), watch.NewFake()
	fake.AddWatchReactor("*", clienttesting.DefaultWatchReactor(second, nil))
	fake.PrependWatchReactor("pods", clienttesting.DefaultWatchReactor(first, nil))
	if w, err := fake.InvokesWatch(action); w != first || err != nil {
		t.Errorf("got %v, %v", w, err)
	}

	proxy := clienttesting.NewProxyGetAction(pods, "ns", "http", "web", "80", "/", map[string]string{"a": "b"})
	if fake.InvokesProxy(proxy) != nil {
		t.Error("nobody answered, and still there is an answer")
	}
	answer := body("hello")
	fake.AddProxyReactor("pods", func(clienttesting.Action) (bool, rest.ResponseWrapper, error) { return true, answer, nil })
	fake.PrependProxyReactor("pods", func(clienttesting.Action) (bool, rest.ResponseWrapper, error) {
		return true, nil, errors.New("which passes it on")
	})
	if got := fake.InvokesProxy(proxy); got != answer {
		t.Errorf("got %v", got)
	}
}

// A body is a response that has this for a body.
type body string

func (b body) DoRaw(context.Context) ([]byte, error) { return []byte(b), nil }

func (b body) Stream(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(string(b))), nil
}

func TestReactorsMayAddReactorsAndSeeActions(t *testing.T) {
	fake := &clienttesting.Fake{}
	seen := 0
	fake.AddReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		seen = len(fake.Actions())
		fake.PrependReactor("get", "*", answering(true, "added", nil))
		return true, newPod("", "adds"), nil
	})
	get := clienttesting.NewGetAction(pods, "ns", "web")
	first, _ := fake.Invokes(get, nil)
	second, _ := fake.Invokes(get, nil)
	if nameOf(first) != "adds" || nameOf(second) != "added" || seen != 1 {
		t.Errorf("the answers are %s and %s, %d actions were seen", nameOf(first), nameOf(second), seen)
	}
}

func TestRecordedActionsAreNotShared(t *testing.T) {
	fake := &clienttesting.Fake{}
	given := newPod("ns", "web")
	fake.AddReactor("create", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		action.(clienttesting.CreateAction).GetObject().(*corev1.Pod).Name = "changed by a reactor"
		return false, nil, nil
	})
	var second string
	fake.AddReactor("create", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		second = nameOf(action.(clienttesting.CreateAction).GetObject())
		return true, nil, nil
	})
	_, _ = fake.Invokes(clienttesting.NewCreateAction(pods, "ns", given), nil)
	if second != "changed by a reactor" {
		t.Errorf("the next reactor saw %q", second)
	}
	given.Name = "changed by the caller"
	if got := nameOf(fake.Actions()[0].(clienttesting.CreateAction).GetObject()); got != "web" {
		t.Errorf("the recorded name is %q", got)
	}
}

func TestFakeIsSafeForConcurrentUse(t *testing.T) {
	fake := &clienttesting.Fake{}
	unguarded := 0 // reactors need no lock
	fake.AddReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		unguarded++
		return true, nil, nil
	})
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 100 {
				_, _ = fake.Invokes(clienttesting.NewGetAction(pods, "ns", "web"), nil)
				fake.PrependReactor("list", "*", answering(true, "", nil))
				_ = fake.Actions()
			}
		})
	}
	workers.Wait()
	if unguarded != 800 || len(fake.Actions()) != 800 {
		t.Errorf("%d calls, %d actions", unguarded, len(fake.Actions()))
	}
}

func TestWhatReactorsAndActionsMatch(t *testing.T) {
	plain, status := clienttesting.NewGetAction(pods, "ns", "web"), clienttesting.NewGetSubresourceAction(pods, "ns", "status", "web")
	for _, c := range []struct {
		verb, resource      string
		plain, status       bool // for reactors
		plainAny, statusAny bool // for Matches, in any letter case
	}{
		{"*", "*", true, true, false, false},
		{"get", "pods", true, true, true, true},
		{"get", "pods/status", false, true, false, true},
		{"get", "pods/log", false, false, false, false},
		{"get", "PODS", false, false, true, true},
		{"GET", "pods/STATUS", false, false, false, true},
		{"list", "pods", false, false, false, false},
	} {
		reactor := &clienttesting.SimpleReactor{Verb: c.verb, Resource: c.resource}
		if reactor.Handles(plain) != c.plain || reactor.Handles(status) != c.status {
			t.Errorf("reactor %s %s: %t, %t", c.verb, c.resource, reactor.Handles(plain), reactor.Handles(status))
		}
		if plain.Matches(c.verb, c.resource) != c.plainAny || status.Matches(c.verb, c.resource) != c.statusAny {
			t.Errorf("%s %s: %t, %t", c.verb, c.resource, plain.Matches(c.verb, c.resource), status.Matches(c.verb, c.resource))
		}
	}
}

func TestActionsSayWhatTheyAreAbout(t *testing.T) {
	options := metav1.ListOptions{LabelSelector: "a=b", FieldSelector: "c=d", ResourceVersion: "7", Limit: 3}
	obj := newPod("ns", "web")
	for want, action := range map[string]clienttesting.Action{
		"get ns pods ":               clienttesting.NewGetActionWithOptions(pods, "ns", "web", metav1.GetOptions{}),
		"get  pods ":                 clienttesting.NewRootGetAction(pods, "web"),
		"get  pods status":           clienttesting.NewRootGetSubresourceAction(pods, "status", "web"),
		"list ns pods ":              clienttesting.NewListAction(pods, podKind, "ns", options),
		"list  pods ":                clienttesting.NewRootListActionWithOptions(pods, podKind, options),
		"watch ns pods ":             clienttesting.NewWatchActionWithOptions(pods, "ns", options),
		"watch  pods ":               clienttesting.NewRootWatchAction(pods, &options),
		"create ns pods ":            clienttesting.NewCreateAction(pods, "ns", obj),
		"create ns pods binding":     clienttesting.NewCreateSubresourceAction(pods, "web", "binding", "ns", obj),
		"create  pods ":              clienttesting.NewRootCreateAction(pods, obj),
		"create  pods binding":       clienttesting.NewRootCreateSubresourceAction(pods, "web", "binding", obj),
		"update ns pods ":            clienttesting.NewUpdateAction(pods, "ns", obj),
		"update ns pods status":      clienttesting.NewUpdateSubresourceAction(pods, "status", "ns", obj),
		"update  pods ":              clienttesting.NewRootUpdateAction(pods, obj),
		"update  pods status":        clienttesting.NewRootUpdateSubresourceAction(pods, "status", obj),
		"patch ns pods a/b":          clienttesting.NewPatchSubresourceAction(pods, "ns", "web", types.MergePatchType, []byte("{}"), "a", "b"),
		"patch  pods status":         clienttesting.NewRootPatchSubresourceAction(pods, "web", types.MergePatchType, []byte("{}"), "status"),
		"patch  pods ":               clienttesting.NewRootPatchAction(pods, "web", types.MergePatchType, nil),
		"delete ns pods ":            clienttesting.NewDeleteAction(pods, "ns", "web"),
		"delete ns pods scale":       clienttesting.NewDeleteSubresourceAction(pods, "scale", "ns", "web"),
		"delete  pods ":              clienttesting.NewRootDeleteAction(pods, "web"),
		"delete  pods scale":         clienttesting.NewRootDeleteSubresourceAction(pods, "scale", "web"),
		"delete-collection ns pods ": clienttesting.NewDeleteCollectionAction(pods, "ns", options),
		"delete-collection  pods ":   clienttesting.NewRootDeleteCollectionAction(pods, options),
		"get ns pods":                clienttesting.NewProxyGetAction(pods, "ns", "http", "web", "80", "/", map[string]string{"a": "b"}),
		"custom":                     clienttesting.GenericActionImpl{ActionImpl: clienttesting.ActionImpl{Verb: "custom"}, Value: obj},
	} {
		got := strings.Join([]string{action.GetVerb(), action.GetNamespace(), action.GetResource().Resource, action.GetSubresource()}, " ")
		if !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if !reflect.DeepEqual(action.DeepCopy(), action) {
			t.Errorf("%s: the copy is %#v", want, action.DeepCopy())
		}
	}
}

func TestListActionsKeepSelectorsOrAllOptions(t *testing.T) {
	options := metav1.ListOptions{LabelSelector: "a=b", FieldSelector: "c=d", ResourceVersion: "7", Limit: 3}
	for _, action := range []clienttesting.ListActionImpl{
		clienttesting.NewListAction(pods, podKind, "ns", options),
		clienttesting.NewRootListAction(pods, podKind, options),
	} {
		if got := action.GetListOptions(); got != (metav1.ListOptions{LabelSelector: "a=b", FieldSelector: "c=d"}) {
			t.Errorf("options are %v", got)
		}
	}
	for _, action := range []clienttesting.ListActionImpl{
		clienttesting.NewListActionWithOptions(pods, podKind, "ns", options),
		clienttesting.NewRootListActionWithOptions(pods, podKind, options),
	} {
		if got := action.GetListOptions(); got != options || action.GetListRestrictions().Labels.String() != "a=b" {
			t.Errorf("options are %v", got)
		}
	}
	watches := clienttesting.NewWatchAction(pods, "ns", options).GetWatchRestrictions()
	if watches.ResourceVersion != "7" || watches.Fields.String() != "c=d" {
		t.Errorf("restrictions are %v", watches)
	}
}

func TestOptionsThatAreNoneAreAMistake(t *testing.T) {
	for name, options := range map[string]any{
		"nothing":          nil,
		"something else":   metav1.GetOptions{},
		"a label selector": metav1.ListOptions{LabelSelector: "!!"},
		"a field selector": metav1.ListOptions{FieldSelector: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			clienttesting.ExtractFromListOptions(options)
		})
	}
}
