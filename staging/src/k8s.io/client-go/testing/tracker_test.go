package testing_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
)

func newScheme(t testing.TB) (*runtime.Scheme, runtime.Decoder) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return scheme, serializer.NewCodecFactory(scheme).UniversalDeserializer()
}

func newTracker(t testing.TB, objects ...runtime.Object) clienttesting.ObjectTracker {
	tracker := clienttesting.NewObjectTracker(newScheme(t))
	for _, obj := range objects {
		if err := tracker.Add(obj); err != nil {
			t.Fatal(err)
		}
	}
	return tracker
}

func TestTrackerErrorsAreThoseOfAServer(t *testing.T) {
	tracker := newTracker(t, newPod("ns", "web"))
	_, getErr := tracker.Get(pods, "ns", "nope")
	two := tracker.Create(pods, newPod("ns", "x"), "ns", metav1.CreateOptions{}, metav1.CreateOptions{})
	for name, c := range map[string]struct {
		err error
		is  func(error) bool
	}{
		"get":                    {getErr, errors.IsNotFound},
		"update":                 {tracker.Update(pods, newPod("ns", "nope"), "ns"), errors.IsNotFound},
		"patch":                  {tracker.Patch(pods, newPod("ns", "nope"), "ns"), errors.IsNotFound},
		"delete":                 {tracker.Delete(pods, "ns", "nope"), errors.IsNotFound},
		"create what is there":   {tracker.Create(pods, newPod("ns", "web"), "ns"), errors.IsAlreadyExists},
		"add what is there":      {tracker.Add(newPod("ns", "web")), errors.IsAlreadyExists},
		"create elsewhere":       {tracker.Create(pods, newPod("other", "x"), "ns"), errors.IsBadRequest},
		"add of an unknown kind": {tracker.Add(&policyv1.Eviction{}), runtime.IsNotRegisteredError},
		"options twice":          {two, func(err error) bool { return err != nil && strings.Contains(err.Error(), "one option") }},
	} {
		if !c.is(c.err) {
			t.Errorf("%s: got error %v", name, c.err)
		}
	}
}

func TestTrackedObjectsAreNotShared(t *testing.T) {
	given := newPod("ns", "web")
	tracker := newTracker(t, given)
	given.Labels = map[string]string{"changed": "by the caller"}
	for range 2 {
		obj, err := tracker.Get(pods, "ns", "web")
		if err != nil || len(obj.(*corev1.Pod).Labels) > 0 {
			t.Fatalf("got %v, %v", obj, err)
		}
		obj.(*corev1.Pod).Labels = map[string]string{"changed": "by the reader"}
		list, err := tracker.List(pods, podKind, "ns")
		if err != nil || len(list.(*corev1.PodList).Items[0].Labels) > 0 {
			t.Fatalf("got %v, %v", list, err)
		}
		list.(*corev1.PodList).Items[0].Labels = map[string]string{"changed": "in the list"}
	}
}

func TestListsAreByNamespaceAndInOrder(t *testing.T) {
	tracker := newTracker(t, &corev1.PodList{Items: []corev1.Pod{*newPod("b", "1"), *newPod("a", "2"), *newPod("a", "1")}})
	for ns, want := range map[string]string{"": "a/1 a/2 b/1", "a": "a/1 a/2", "b": "b/1", "c": ""} {
		list, err := tracker.List(pods, podKind, ns)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, pod := range list.(*corev1.PodList).Items {
			got = append(got, pod.Namespace+"/"+pod.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("namespace %q has %q, want %q", ns, got, want)
		}
	}
	if _, err := tracker.List(pods, schema.GroupVersionKind{Version: "v1", Kind: "Nope"}, ""); !runtime.IsNotRegisteredError(err) {
		t.Errorf("got error %v", err)
	}
}

func TestObjectsAreFoundUnderTheResourceOfTheirKind(t *testing.T) {
	policy := &unstructured.Unstructured{}
	policy.SetAPIVersion("example.com/v1")
	policy.SetKind("Policy")
	policy.SetName("x")
	partial := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: "x"},
	}
	//lint:ignore SA1019 a kind whose plural is the same
	endpoints := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "x"}}
	raw := &corev1.List{Items: []runtime.RawExtension{{Raw: []byte(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}`)}}}
	tracker := newTracker(t)
	for _, obj := range []runtime.Object{policy, partial, endpoints, raw} {
		if err := tracker.Add(obj); err != nil {
			t.Errorf("%T: %v", obj, err)
		}
	}
	for _, gvr := range []schema.GroupVersionResource{
		{Group: "example.com", Version: "v1", Resource: "policies"},
		{Group: "apps", Version: "v1", Resource: "deployments"},
		{Version: "v1", Resource: "endpoints"},
		{Version: "v1", Resource: "secrets"},
	} {
		if _, err := tracker.Get(gvr, "", "x"); err != nil {
			t.Error(err)
		}
	}
}

// events reads what is there to be read.
func events(w watch.Interface) []string {
	var got []string
	for {
		select {
		case event, open := <-w.ResultChan():
			if !open {
				return append(got, "closed")
			}
			got = append(got, fmt.Sprintf("%s %s", event.Type, nameOf(event.Object)))
		default:
			return got
		}
	}
}

func TestWatchTellsOfChangesInItsNamespace(t *testing.T) {
	tracker := newTracker(t, newPod("a", "before"))
	in, all, other := watching(t, tracker, "a"), watching(t, tracker, ""), watching(t, tracker, "b")
	_ = tracker.Create(pods, newPod("a", "x"), "a")
	_ = tracker.Update(pods, newPod("a", "x"), "a")
	_ = tracker.Patch(pods, newPod("a", "x"), "a")
	_ = tracker.Delete(pods, "a", "x")
	want := []string{"ADDED x", "MODIFIED x", "MODIFIED x", "DELETED x"}
	if got := events(in); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := events(all); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := events(other); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	in.Stop()
	_ = tracker.Create(pods, newPod("a", "y"), "a")
	if got := events(in); !slices.Equal(got, []string{"closed"}) {
		t.Errorf("after the end: %q", got)
	}
}

func watching(t *testing.T, tracker clienttesting.ObjectTracker, ns string, opts ...metav1.ListOptions) watch.Interface {
	t.Helper()
	w, err := tracker.Watch(pods, ns, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := w.(*watch.RaceFreeFakeWatcher); !ok {
		t.Errorf("the watch is a %T, which programs do not expect", w)
	}
	return w
}

func TestWatchBeginsAfterItsResourceVersion(t *testing.T) {
	tracker := newTracker(t, newPod("a", "gone"), newPod("a", "kept"), newPod("a", "updated"), newPod("b", "elsewhere"))
	list, err := tracker.List(pods, podKind, "a")
	if err != nil {
		t.Fatal(err)
	}
	listed := list.(*corev1.PodList).ResourceVersion
	_ = tracker.Delete(pods, "a", "gone")
	_ = tracker.Update(pods, newPod("a", "updated"), "a")
	_ = tracker.Create(pods, newPod("a", "new"), "a")
	_ = tracker.Create(pods, newPod("a", "short-lived"), "a")
	_ = tracker.Delete(pods, "a", "short-lived")
	for version, want := range map[string][]string{
		listed: {"DELETED gone", "ADDED new", "ADDED updated"},
		"":     {"ADDED kept", "ADDED new", "ADDED updated"},
		"0":    {"ADDED kept", "ADDED new", "ADDED updated"},
		"99":   nil,
	} {
		if got := events(watching(t, tracker, "a", metav1.ListOptions{ResourceVersion: version})); !slices.Equal(got, want) {
			t.Errorf("version %q: got %q, want %q", version, got, want)
		}
	}
	if _, err := tracker.Watch(pods, "a", metav1.ListOptions{ResourceVersion: "soon"}); !errors.IsBadRequest(err) {
		t.Errorf("got error %v", err)
	}
}

func TestWatchThatIsNotReadLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := newTracker(t)
		w := watching(t, tracker, "a")
		for i := range 500 {
			if err := tracker.Create(pods, newPod("a", fmt.Sprint(i)), "a"); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 500 {
			select {
			case event := <-w.ResultChan():
				if nameOf(event.Object) != fmt.Sprint(i) {
					t.Fatalf("event %d is of %s", i, nameOf(event.Object))
				}
			case <-time.After(time.Minute):
				t.Fatalf("event %d did not come", i)
			}
		}
		for i := range 500 {
			_ = tracker.Delete(pods, "a", fmt.Sprint(i))
		}
		w.Stop()
		time.Sleep(time.Second) // by then, what sends the backlog has ended
	})
}

func TestTrackerIsSafeForConcurrentUse(t *testing.T) {
	for name, tracker := range map[string]clienttesting.ObjectTracker{"plain": newTracker(t), "managed": newManagedTracker(t)} {
		t.Run(name, func(t *testing.T) {
			w := watching(t, tracker, "")
			var workers sync.WaitGroup
			for i := range 8 {
				workers.Go(func() {
					pod := newPod("ns", fmt.Sprint(i%4))
					for range 20 {
						_ = tracker.Create(pods, pod, "ns")
						_ = tracker.Update(pods, pod, "ns")
						_, _ = tracker.Get(pods, "ns", pod.Name)
						_, _ = tracker.List(pods, podKind, "ns")
						_ = tracker.Delete(pods, "ns", pod.Name)
					}
				})
			}
			workers.Wait()
			w.Stop()
		})
	}
}

func newManagedTracker(t testing.TB) clienttesting.ObjectTracker {
	scheme, decoder := newScheme(t)
	return clienttesting.NewFieldManagedObjectTracker(scheme, decoder, managedfields.NewDeducedTypeConverter())
}

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func configMap(data ...string) *corev1.ConfigMap {
	c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}, Data: map[string]string{}}
	for i := 0; i < len(data); i += 2 {
		c.Data[data[i]] = data[i+1]
	}
	return c
}

// owners returns who owns what, in words.
func owners(t *testing.T, tracker clienttesting.ObjectTracker) string {
	t.Helper()
	obj, err := tracker.Get(configMaps, "ns", "web")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range obj.(*corev1.ConfigMap).ManagedFields {
		got = append(got, fmt.Sprintf("%s by %s: %s", entry.Manager, entry.Operation, entry.FieldsV1.GetRawString()))
	}
	slices.Sort(got)
	return strings.Join(got, "; ")
}

func TestManagedTrackerKnowsOwnersAndConflicts(t *testing.T) {
	tracker := newManagedTracker(t)
	react := clienttesting.ObjectReaction(tracker)
	apply := func(manager, data string, force bool) error {
		_, _, err := react(clienttesting.NewPatchActionWithOptions(configMaps, "ns", "web", types.ApplyYAMLPatchType,
			[]byte("apiVersion: v1\nkind: ConfigMap\ndata: "+data), metav1.PatchOptions{FieldManager: manager, Force: &force}))
		return err
	}
	for _, step := range []struct {
		name string
		do   func() error
		bad  func(error) bool
		want string
	}{
		{
			name: "create",
			do: func() error {
				return tracker.Create(configMaps, configMap("a", "1"), "ns", metav1.CreateOptions{FieldManager: "me"})
			},
			want: `me by Update: {"f:data":{".":{},"f:a":{}}}`,
		},
		{
			name: "apply what another owns",
			do:   func() error { return apply("applier", `{a: "2"}`, false) },
			bad:  errors.IsConflict,
			want: `me by Update: {"f:data":{".":{},"f:a":{}}}`,
		},
		{
			name: "take it by force",
			do:   func() error { return apply("applier", `{a: "2", b: "3"}`, true) },
			want: `applier by Apply: {"f:data":{".":{},"f:a":{},"f:b":{}}}; me by Update: {"f:data":{}}`,
		},
		{
			name: "give one up",
			do:   func() error { return apply("applier", `{a: "2"}`, false) },
			want: `applier by Apply: {"f:data":{".":{},"f:a":{}}}; me by Update: {"f:data":{}}`,
		},
	} {
		if err := step.do(); step.bad == nil && err != nil || step.bad != nil && !step.bad(err) {
			t.Errorf("%s: got error %v", step.name, err)
		}
		if got := owners(t, tracker); got != step.want {
			t.Errorf("%s: the owners are %s, want %s", step.name, got, step.want)
		}
	}
	obj, err := tracker.Get(configMaps, "ns", "web")
	if err != nil || len(obj.(*corev1.ConfigMap).Data) != 1 || obj.(*corev1.ConfigMap).Data["a"] != "2" {
		t.Errorf("got %v, %v: what is no longer applied should be gone", obj, err)
	}
	if err := tracker.Update(configMaps, configMap("a", "9"), "ns"); err != nil {
		t.Fatal(err)
	}
	if got := owners(t, tracker); !strings.Contains(got, `unknown by Update`) {
		t.Errorf("owners are %s", got)
	}
}

func TestApplyCreatesWhatIsNotThere(t *testing.T) {
	for name, tracker := range map[string]clienttesting.ObjectTracker{"plain": newTracker(t), "managed": newManagedTracker(t)} {
		t.Run(name, func(t *testing.T) {
			_, obj, err := clienttesting.ObjectReaction(tracker)(clienttesting.NewPatchAction(configMaps, "ns", "web", types.ApplyYAMLPatchType,
				[]byte(`{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1"}}`)))
			if err != nil || obj.(*corev1.ConfigMap).Data["a"] != "1" || obj.(*corev1.ConfigMap).Namespace != "ns" {
				t.Errorf("got %v, %v", obj, err)
			}
		})
	}
}

func TestApplyOfNonsenseIsRefused(t *testing.T) {
	tracker := newManagedTracker(t)
	react := clienttesting.ObjectReaction(tracker)
	for name, patch := range map[string]string{
		"no YAML":           `{{`,
		"nothing":           ``,
		"no kind":           `{"data":{"a":"1"}}`,
		"another namespace": `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"other"}}`,
		"an unknown kind":   `{"apiVersion":"example.com/v1","kind":"Policy"}`,
	} {
		handled, obj, err := react(clienttesting.NewPatchAction(configMaps, "ns", "web", types.ApplyYAMLPatchType, []byte(patch)))
		if !handled || obj != nil || err == nil {
			t.Errorf("%s: got %t, %v, %v", name, handled, obj, err)
		}
	}
}

func TestManagedTrackerTellsWhatWasWrittenItsOwners(t *testing.T) {
	tracker := newManagedTracker(t)
	c := configMap("a", "1")
	if err := tracker.Create(configMaps, c, "ns", metav1.CreateOptions{FieldManager: "one"}); err != nil {
		t.Fatal(err)
	}
	if len(c.ManagedFields) != 1 || c.ManagedFields[0].Manager != "one" {
		t.Errorf("after it was created: got %v", c.ManagedFields)
	}
	c = configMap("a", "1", "b", "2")
	if err := tracker.Update(configMaps, c, "ns", metav1.UpdateOptions{FieldManager: "two"}); err != nil {
		t.Fatal(err)
	}
	if len(c.ManagedFields) == 0 {
		t.Error("after it was updated: it has no owners")
	}
}
