package fake

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
)

var (
	pods  = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	tabs  = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "crontabs"}
	oxen  = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "oxen"}
	other = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "others"}
)

func coreScheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	if err := corev1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	return s
}

func object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	metadata := map[string]any{"name": name, "labels": map[string]any{"name": name}}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": metadata}}
}

func typedPod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Labels: map[string]string{"name": name}}}
}

func names(list *unstructured.UnstructuredList) (all []string) {
	for _, item := range list.Items {
		all = append(all, item.GetName())
	}
	return all
}

func TestObjectsOfAllFormsAreKept(t *testing.T) {
	c := NewSimpleDynamicClient(coreScheme(t),
		typedPod("typed"),
		object("v1", "Pod", "ns", "unstructured"),
		&corev1.PodList{Items: []corev1.Pod{*typedPod("listed")}},
		&unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "PodList"}, Items: []unstructured.Unstructured{*object("v1", "Pod", "ns", "also")}},
		object("example.com/v1", "CronTab", "", "custom"))
	list, err := c.Resource(pods).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(list), []string{"also", "listed", "typed", "unstructured"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if list.GetKind() != "PodList" || list.GetAPIVersion() != "v1" {
		t.Errorf("the list is a %s of %s", list.GetKind(), list.GetAPIVersion())
	}
	for _, item := range list.Items {
		if item.GetKind() != "Pod" || item.GetAPIVersion() != "v1" {
			t.Errorf("%s is a %s of %s", item.GetName(), item.GetKind(), item.GetAPIVersion())
		}
	}
	if list, err := c.Resource(tabs).List(t.Context(), metav1.ListOptions{}); err != nil || !reflect.DeepEqual(names(list), []string{"custom"}) {
		t.Errorf("custom resources: %v, %v", list, err)
	}
}

func TestVerbsChangeWhatIsKept(t *testing.T) {
	c := NewSimpleDynamicClient(coreScheme(t), typedPod("a"))
	r := c.Resource(pods).Namespace("ns")
	ctx := t.Context()
	if _, err := r.Create(ctx, object("v1", "Pod", "ns", "b"), metav1.CreateOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := r.Create(ctx, object("v1", "Pod", "ns", "b"), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		t.Errorf("second create: %v", err)
	}
	changed := object("v1", "Pod", "ns", "b")
	changed.SetLabels(map[string]string{"changed": "yes"})
	if got, err := r.Update(ctx, changed, metav1.UpdateOptions{}); err != nil || got.GetLabels()["changed"] != "yes" {
		t.Errorf("update: %v, %v", got, err)
	}
	if got, err := r.Patch(ctx, "a", types.MergePatchType, []byte(`{"spec":{"nodeName":"n"}}`), metav1.PatchOptions{}); err != nil {
		t.Error(err)
	} else if node, _, _ := unstructured.NestedString(got.Object, "spec", "nodeName"); node != "n" {
		t.Errorf("patched: %v", got)
	}
	if list, err := r.List(ctx, metav1.ListOptions{LabelSelector: "changed=yes"}); err != nil || !reflect.DeepEqual(names(list), []string{"b"}) {
		t.Errorf("list by label: %v, %v", list, err)
	}
	if err := r.Delete(ctx, "b", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if got, err := r.Get(ctx, "b", metav1.GetOptions{}); got != nil || !apierrors.IsNotFound(err) {
		t.Errorf("get after delete: %v, %v", got, err)
	}
}

func TestAnswersAreCopies(t *testing.T) {
	c := NewSimpleDynamicClient(coreScheme(t), typedPod("a"))
	for range 2 {
		got, err := c.Resource(pods).Namespace("ns").Get(t.Context(), "a", metav1.GetOptions{})
		if err != nil || got.GetLabels()["mine"] != "" {
			t.Fatalf("got %v, %v", got, err)
		}
		got.SetLabels(map[string]string{"mine": "yes"})
	}
}

func TestWatchDeliversChanges(t *testing.T) {
	c := NewSimpleDynamicClient(coreScheme(t))
	r := c.Resource(pods).Namespace("ns")
	w, err := r.Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if _, err := r.Create(t.Context(), object("v1", "Pod", "ns", "a"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if e := <-w.ResultChan(); e.Type != watch.Added || e.Object.(*unstructured.Unstructured).GetName() != "a" {
		t.Errorf("got %v", e)
	}
	if !c.IsWatchListSemanticsUnSupported() {
		t.Error("informers would wait for the present objects")
	}
}

func TestActionsAreRecorded(t *testing.T) {
	c := NewSimpleDynamicClient(coreScheme(t))
	c.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, nil })
	r := c.Resource(pods).Namespace("ns")
	ctx := t.Context()
	a := object("v1", "Pod", "ns", "a")
	data := `{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"name":"a"},"name":"a","namespace":"ns"}}` + "\n"
	for i, call := range []func() (*unstructured.Unstructured, error){
		func() (*unstructured.Unstructured, error) { return r.Get(ctx, "a", metav1.GetOptions{}, "x", "y") },
		func() (*unstructured.Unstructured, error) { return r.Create(ctx, a, metav1.CreateOptions{}) },
		func() (*unstructured.Unstructured, error) { return r.Create(ctx, a, metav1.CreateOptions{}, "x", "y") },
		func() (*unstructured.Unstructured, error) { return r.Update(ctx, a, metav1.UpdateOptions{}) },
		func() (*unstructured.Unstructured, error) { return r.UpdateStatus(ctx, a, metav1.UpdateOptions{}) },
		func() (*unstructured.Unstructured, error) {
			return nil, r.Delete(ctx, "a", metav1.DeleteOptions{}, "x")
		},
		func() (*unstructured.Unstructured, error) {
			return nil, r.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "a"})
		},
		func() (*unstructured.Unstructured, error) { return r.Apply(ctx, "a", a, metav1.ApplyOptions{}) },
		func() (*unstructured.Unstructured, error) {
			return r.ApplyStatus(ctx, "a", a, metav1.ApplyOptions{Force: true})
		},
		func() (*unstructured.Unstructured, error) {
			_, err := r.List(ctx, metav1.ListOptions{})
			return nil, err
		},
	} {
		if got, err := call(); got != nil || err != nil {
			t.Errorf("call %d: %v, %v", i, got, err)
		}
	}
	force := true
	want := []clienttesting.Action{
		clienttesting.NewGetSubresourceActionWithOptions(pods, "ns", "x/y", "a", metav1.GetOptions{}),
		clienttesting.NewCreateActionWithOptions(pods, "ns", a, metav1.CreateOptions{}),
		clienttesting.NewCreateSubresourceActionWithOptions(pods, "a", "x/y", "ns", a, metav1.CreateOptions{}),
		clienttesting.NewUpdateActionWithOptions(pods, "ns", a, metav1.UpdateOptions{}),
		clienttesting.NewUpdateSubresourceActionWithOptions(pods, "status", "ns", a, metav1.UpdateOptions{}),
		clienttesting.NewDeleteSubresourceActionWithOptions(pods, "x", "ns", "a", metav1.DeleteOptions{}),
		clienttesting.NewDeleteCollectionActionWithOptions(pods, "ns", metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "a"}),
		clienttesting.NewPatchActionWithOptions(pods, "ns", "a", types.ApplyPatchType, []byte(data), metav1.PatchOptions{Force: new(bool)}),
		clienttesting.NewPatchSubresourceActionWithOptions(pods, "ns", "a", types.ApplyPatchType, []byte(data), metav1.PatchOptions{Force: &force}, "status"),
		clienttesting.NewListActionWithOptions(pods, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, "ns", metav1.ListOptions{}),
	}
	got := c.Actions()
	if len(got) != len(want) {
		t.Fatalf("%d actions, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("action %d:\n got %#v\nwant %#v", i, got[i], want[i])
		}
	}
	if _, err := r.Create(ctx, object("v1", "Pod", "ns", ""), metav1.CreateOptions{}, "x"); err == nil {
		t.Error("a subresource of nothing was created")
	}
}

func TestReactorsMayAnswerWithTypedObjects(t *testing.T) {
	c := NewSimpleDynamicClient(coreScheme(t))
	c.PrependReactor("get", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, typedPod("a"), nil })
	c.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: "more"}, Items: []corev1.Pod{*typedPod("b")}}, nil
	})
	if got, err := c.Resource(pods).Get(t.Context(), "x", metav1.GetOptions{}); err != nil || got.GetName() != "a" || got.GetKind() != "Pod" {
		t.Errorf("got %v, %v", got, err)
	}
	list, err := c.Resource(pods).List(t.Context(), metav1.ListOptions{})
	if err != nil || !reflect.DeepEqual(names(list), []string{"b"}) || list.GetResourceVersion() != "7" || list.GetContinue() != "more" {
		t.Errorf("got %v, %v", list, err)
	}
	boom := errors.New("boom")
	c.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, typedPod("a"), boom })
	if got, err := c.Resource(pods).Get(t.Context(), "x", metav1.GetOptions{}); got != nil || !errors.Is(err, boom) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := c.Resource(pods).List(t.Context(), metav1.ListOptions{}); got != nil || !errors.Is(err, boom) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestListKindsCanBeGiven(t *testing.T) {
	c := NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{oxen: "OxList"},
		object("example.com/v1", "Ox", "ns", "a"))
	if err := c.Tracker().Create(oxen, object("example.com/v1", "Ox", "ns", "b"), "ns"); err != nil {
		t.Fatal(err)
	}
	list, err := c.Resource(oxen).List(t.Context(), metav1.ListOptions{})
	if err != nil || list.GetKind() != "OxList" || !reflect.DeepEqual(names(list), []string{"b"}) {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestMistakesOfTheTestPanic(t *testing.T) {
	for want, mistake := range map[string]func(){
		"must end in List": func() {
			NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{oxen: "Oxen"})
		},
		"unable to get the kind": func() { NewSimpleDynamicClient(runtime.NewScheme(), typedPod("a")) },
		"you must register resource to list kind": func() {
			NewSimpleDynamicClient(runtime.NewScheme()).Resource(other).List(t.Context(), metav1.ListOptions{})
		},
	} {
		func() {
			defer func() {
				var text string
				switch r := recover().(type) {
				case error:
					text = r.Error()
				case string:
					text = r
				}
				if !strings.Contains(text, want) {
					t.Errorf("panic %q, want one with %q", text, want)
				}
			}()
			mistake()
		}()
	}
}

func TestReactorsMayAnswerWithAnyUnstructuredObject(t *testing.T) {
	item := object("v1", "Pod", "ns", "a")
	for name, c := range map[string]struct {
		answer runtime.Object
		want   map[string]any
	}{
		"a list without a kind": {&unstructured.UnstructuredList{Items: []unstructured.Unstructured{*item}}, map[string]any{"items": []any{item.Object}}},
		"an object without one": {&unstructured.Unstructured{Object: map[string]any{"a": "b"}}, map[string]any{"a": "b"}},
		"a status":              {&metav1.Status{Code: 1}, map[string]any{"apiVersion": "v1", "kind": "Status", "metadata": map[string]any{}, "code": int64(1)}},
	} {
		client := NewSimpleDynamicClient(runtime.NewScheme())
		client.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, c.answer, nil })
		got, err := client.Resource(pods).Get(t.Context(), "a", metav1.GetOptions{})
		if err != nil || !reflect.DeepEqual(got.Object, c.want) {
			t.Errorf("%s: got %v, %v", name, got, err)
			continue
		}
		if items, ok := got.Object["items"].([]any); ok {
			items[0].(map[string]any)["kind"] = "Changed"
			if item.GetKind() != "Pod" {
				t.Errorf("%s: what is handed out is not a copy", name)
			}
		}
	}
}

func TestWrongAnswersOfReactorsAreErrors(t *testing.T) {
	c := NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{pods: "PodList"})
	var answer runtime.Object
	c.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, answer, nil })
	r := c.Resource(pods)
	get := func() (any, error) { return r.Get(t.Context(), "a", metav1.GetOptions{}) }
	list := func() (any, error) { return r.List(t.Context(), metav1.ListOptions{}) }
	for _, tc := range []struct {
		answer runtime.Object
		ask    func() (any, error)
		want   string
	}{
		{typedPod("a"), get, "unable to get the kind of a *v1.Pod"}, // the scheme does not know it
		{typedPod("a"), list, "answered list of PodList with a *v1.Pod, which should be a list"},
		{object("v1", "Pod", "ns", "a"), list, "with a *unstructured.Unstructured, which should be a list"},
		{&metav1.Status{}, list, "with a *v1.Status, which should be a list"},
		{&corev1.PodList{Items: []corev1.Pod{{}}}, list, "unable to get the kind of a *v1.Pod"},
	} {
		answer = tc.answer
		if got, err := tc.ask(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%T: got %v, %v, want an error with %q", tc.answer, got, err, tc.want)
		}
	}
	for _, answer = range []runtime.Object{nil, (*corev1.Pod)(nil), (*unstructured.Unstructured)(nil), (*unstructured.UnstructuredList)(nil)} {
		for _, ask := range []func() (any, error){get, list} {
			if got, err := ask(); err != nil || !reflect.ValueOf(got).IsNil() {
				t.Errorf("no answer, as a %T: got %v, %v", answer, got, err)
			}
		}
	}
}
