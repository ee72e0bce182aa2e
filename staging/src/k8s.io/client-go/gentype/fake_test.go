package gentype_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/gentype"
	clienttesting "k8s.io/client-go/testing"
)

var (
	podsResource = corev1.SchemeGroupVersion.WithResource("pods")
	podKind      = corev1.SchemeGroupVersion.WithKind("Pod")
)

type fakePods = gentype.FakeClientWithListAndApply[*corev1.Pod, *corev1.PodList, *podApply]

func fakePodClient(fake *clienttesting.Fake, namespace string) *fakePods {
	return gentype.NewFakeClientWithListAndApply[*corev1.Pod, *corev1.PodList, *podApply](fake, namespace, podsResource, podKind, newPod, newPodList,
		func(to, from *corev1.PodList) { to.ListMeta = from.ListMeta },
		func(l *corev1.PodList) []*corev1.Pod { return gentype.ToPointerSlice(l.Items) },
		func(l *corev1.PodList, items []*corev1.Pod) { l.Items = gentype.FromPointerSlice(items) })
}

func TestFakeKeepsObjectsWithATracker(t *testing.T) {
	fake := new(clienttesting.Fake)
	tracker := clienttesting.NewObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder())
	fake.AddReactor("*", "*", clienttesting.ObjectReaction(tracker))
	c := fakePodClient(fake, "ns")
	ctx := t.Context()
	for _, name := range []string{"a", "b"} {
		pod := named(name)
		pod.Namespace, pod.Labels = "ns", map[string]string{"name": name}
		if _, err := c.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if pod, err := c.Get(ctx, "a", metav1.GetOptions{}); err != nil || pod.Name != "a" {
		t.Errorf("got %v, %v", pod, err)
	}
	if pod, err := c.Get(ctx, "c", metav1.GetOptions{}); pod == nil || !apierrors.IsNotFound(err) {
		t.Errorf("got %v, %v; want an empty pod and not found", pod, err)
	}
	list, err := c.List(ctx, metav1.ListOptions{LabelSelector: "name=b"})
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != "b" {
		t.Errorf("list by label: %v, %v", list, err)
	}
	if patched, err := c.Patch(ctx, "a", types.MergePatchType, []byte(`{"spec":{"nodeName":"n"}}`), metav1.PatchOptions{}); err != nil || patched.Spec.NodeName != "n" {
		t.Errorf("patch: %v, %v", patched, err)
	}
	if err := c.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	if list, err := c.List(ctx, metav1.ListOptions{}); err != nil || len(list.Items) != 1 {
		t.Errorf("list after delete: %v, %v", list, err)
	}
}

func TestFakeRecordsActions(t *testing.T) {
	fake := new(clienttesting.Fake)
	fake.AddWatchReactor("*", clienttesting.DefaultWatchReactor(watch.NewFake(), nil))
	c := fakePodClient(fake, "ns")
	ctx := t.Context()
	apply := []byte(`{"name":"a"}`)
	calls := []func() error{
		func() error { _, err := c.Get(ctx, "a", metav1.GetOptions{ResourceVersion: "1"}); return err },
		func() error { _, err := c.List(ctx, metav1.ListOptions{Limit: 2}); return err },
		func() error { _, err := c.Watch(ctx, metav1.ListOptions{}); return err },
		func() error { _, err := c.Create(ctx, named("a"), metav1.CreateOptions{FieldManager: "m"}); return err },
		func() error { _, err := c.Update(ctx, named("a"), metav1.UpdateOptions{}); return err },
		func() error { _, err := c.UpdateStatus(ctx, named("a"), metav1.UpdateOptions{}); return err },
		func() error { return c.Delete(ctx, "a", metav1.DeleteOptions{}) },
		func() error { return c.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}) },
		func() error {
			_, err := c.Patch(ctx, "a", types.JSONPatchType, []byte("[]"), metav1.PatchOptions{}, "x", "y")
			return err
		},
		func() error {
			_, err := c.Apply(ctx, &podApply{Name: ptr("a")}, metav1.ApplyOptions{Force: true})
			return err
		},
		func() error {
			_, err := c.ApplyStatus(ctx, &podApply{Name: ptr("a")}, metav1.ApplyOptions{})
			return err
		},
	}
	for i, call := range calls {
		if err := call(); err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	want := []clienttesting.Action{
		clienttesting.NewGetActionWithOptions(podsResource, "ns", "a", metav1.GetOptions{ResourceVersion: "1"}),
		clienttesting.NewListActionWithOptions(podsResource, podKind, "ns", metav1.ListOptions{Limit: 2}),
		clienttesting.NewWatchActionWithOptions(podsResource, "ns", metav1.ListOptions{Watch: true}),
		clienttesting.NewCreateActionWithOptions(podsResource, "ns", named("a"), metav1.CreateOptions{FieldManager: "m"}),
		clienttesting.NewUpdateActionWithOptions(podsResource, "ns", named("a"), metav1.UpdateOptions{}),
		clienttesting.NewUpdateSubresourceActionWithOptions(podsResource, "status", "ns", named("a"), metav1.UpdateOptions{}),
		clienttesting.NewDeleteActionWithOptions(podsResource, "ns", "a", metav1.DeleteOptions{}),
		clienttesting.NewDeleteCollectionActionWithOptions(podsResource, "ns", metav1.DeleteOptions{}, metav1.ListOptions{}),
		clienttesting.NewPatchSubresourceActionWithOptions(podsResource, "ns", "a", types.JSONPatchType, []byte("[]"), metav1.PatchOptions{}, "x", "y"),
		clienttesting.NewPatchActionWithOptions(podsResource, "ns", "a", types.ApplyPatchType, apply, metav1.PatchOptions{Force: ptr(true)}),
		clienttesting.NewPatchSubresourceActionWithOptions(podsResource, "ns", "a", types.ApplyPatchType, apply, metav1.PatchOptions{Force: ptr(false)}, "status"),
	}
	got := fake.Actions()
	if len(got) != len(want) {
		t.Fatalf("%d actions, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("action %d:\n got %#v\nwant %#v", i, got[i], want[i])
		}
	}
	if c.Kind() != podKind || c.Resource() != podsResource || c.Namespace() != "ns" {
		t.Errorf("the client is for %v, %v, %q", c.Kind(), c.Resource(), c.Namespace())
	}
}

func TestFakeReturnsAnEmptyObjectWithTheErrorOfAReactor(t *testing.T) {
	boom := errors.New("boom")
	fake := new(clienttesting.Fake)
	fake.AddReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, boom })
	c := fakePodClient(fake, "")
	if pod, err := c.Get(t.Context(), "a", metav1.GetOptions{}); pod == nil || !errors.Is(err, boom) {
		t.Errorf("get: %v, %v", pod, err)
	}
	if list, err := c.List(t.Context(), metav1.ListOptions{}); list == nil || !errors.Is(err, boom) {
		t.Errorf("list: %v, %v", list, err)
	}
	if err := c.Delete(t.Context(), "a", metav1.DeleteOptions{}); !errors.Is(err, boom) {
		t.Errorf("delete: %v", err)
	}
}

func TestFakeNamesTheTypeThatAReactorGotWrong(t *testing.T) {
	fake := new(clienttesting.Fake)
	fake.AddReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, new(corev1.Node), nil })
	c := fakePodClient(fake, "ns")
	if _, err := c.Get(t.Context(), "a", metav1.GetOptions{}); err == nil || !strings.Contains(err.Error(), "*v1.Node") {
		t.Errorf("get: %v", err)
	}
	if _, err := c.List(t.Context(), metav1.ListOptions{}); err == nil || !strings.Contains(err.Error(), "*v1.Node") {
		t.Errorf("list: %v", err)
	}
}

func TestFakeRefusesUnusableConfigurations(t *testing.T) {
	c := fakePodClient(new(clienttesting.Fake), "ns")
	for want, configuration := range map[string]*podApply{
		"must not be nil":       nil,
		"Name must be provided": {},
		"unsupported type":      {Name: ptr("a"), Spec: make(chan int)},
	} {
		if _, err := c.Apply(t.Context(), configuration, metav1.ApplyOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("apply: %v, want an error with %q", err, want)
		}
		if _, err := c.ApplyStatus(t.Context(), configuration, metav1.ApplyOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("apply status: %v, want an error with %q", err, want)
		}
	}
}

func TestOtherFakesWork(t *testing.T) {
	fake := new(clienttesting.Fake)
	applier := gentype.NewFakeClientWithApply[*corev1.Pod, *podApply](fake, "ns", podsResource, podKind, newPod)
	if _, err := applier.Apply(t.Context(), &podApply{Name: ptr("a")}, metav1.ApplyOptions{}); err != nil {
		t.Error(err)
	}
	lister := gentype.NewFakeClientWithList(fake, "ns", podsResource, podKind, newPod, newPodList,
		func(to, from *corev1.PodList) {}, func(l *corev1.PodList) []*corev1.Pod { return nil }, func(*corev1.PodList, []*corev1.Pod) {})
	if _, err := lister.List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	if n := len(fake.Actions()); n != 2 {
		t.Errorf("%d actions, want 2", n)
	}
}

func TestPointerSlices(t *testing.T) {
	if gentype.ToPointerSlice[int](nil) != nil || gentype.FromPointerSlice[int](nil) != nil {
		t.Error("nil did not stay nil")
	}
	values := []int{1, 2}
	pointers := gentype.ToPointerSlice(values)
	*pointers[1] = 3
	if values[1] != 3 {
		t.Error("the pointers are not to the elements")
	}
	copied := gentype.FromPointerSlice(pointers)
	*pointers[0] = 4
	if !reflect.DeepEqual(copied, []int{1, 3}) {
		t.Errorf("copied %v, want [1 3]", copied)
	}
}
