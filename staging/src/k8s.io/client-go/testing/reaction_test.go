package testing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
)

func labelled(name string, labels ...string) *corev1.Pod {
	pod := newPod("ns", name)
	pod.Labels = map[string]string{}
	for i := 0; i < len(labels); i += 2 {
		pod.Labels[labels[i]] = labels[i+1]
	}
	return pod
}

func TestActionsAreCarriedOut(t *testing.T) {
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}}
	for name, c := range map[string]struct {
		action clienttesting.Action
		label  string // of the answer and of what is there then
		none   bool   // whether nothing is there then
		other  bool   // whether the answer is no pod
		fails  func(error) bool
	}{
		"get":                         {action: clienttesting.NewGetAction(pods, "ns", "web"), label: "old"},
		"get of a subresource":        {action: clienttesting.NewGetSubresourceAction(pods, "ns", "status", "web"), label: "old"},
		"update":                      {action: clienttesting.NewUpdateAction(pods, "ns", labelled("web", "is", "new")), label: "new"},
		"update of a subresource":     {action: clienttesting.NewUpdateSubresourceAction(pods, "status", "ns", labelled("web", "is", "new")), label: "new"},
		"create of what is there":     {action: clienttesting.NewCreateAction(pods, "ns", labelled("web")), fails: errors.IsAlreadyExists},
		"create of a subresource":     {action: clienttesting.NewCreateSubresourceAction(pods, "web", "status", "ns", labelled("web", "is", "new")), label: "new"},
		"create of another type":      {action: clienttesting.NewCreateSubresourceAction(pods, "web", "eviction", "ns", eviction), label: "old", other: true},
		"create without a parent":     {action: clienttesting.NewCreateSubresourceAction(pods, "nope", "eviction", "ns", eviction), fails: errors.IsNotFound},
		"delete":                      {action: clienttesting.NewDeleteAction(pods, "ns", "web"), none: true, other: true},
		"delete of what is not there": {action: clienttesting.NewDeleteAction(pods, "ns", "nope"), fails: errors.IsNotFound},
		"a JSON patch": {action: clienttesting.NewPatchAction(pods, "ns", "web", types.JSONPatchType,
			[]byte(`[{"op":"replace","path":"/metadata/labels/is","value":"new"}]`)), label: "new"},
		"a merge patch": {action: clienttesting.NewPatchAction(pods, "ns", "web", types.MergePatchType,
			[]byte(`{"metadata":{"labels":{"is":"new"}}}`)), label: "new"},
		"a merge patch that removes": {action: clienttesting.NewPatchAction(pods, "ns", "web", types.MergePatchType,
			[]byte(`{"metadata":{"labels":null}}`)), label: ""},
		"a strategic merge patch": {action: clienttesting.NewPatchSubresourceAction(pods, "ns", "web", types.StrategicMergePatchType,
			[]byte(`{"metadata":{"labels":{"is":"new"}}}`), "status"), label: "new"},
		"apply": {action: clienttesting.NewPatchAction(pods, "ns", "web", types.ApplyYAMLPatchType,
			[]byte("apiVersion: v1\nkind: Pod\nmetadata: {labels: {is: new}}")), label: "new"},
		"a patch that renames": {action: clienttesting.NewPatchAction(pods, "ns", "web", types.MergePatchType,
			[]byte(`{"metadata":{"name":"other"}}`)), fails: errors.IsBadRequest},
		"a patch of what is not there": {action: clienttesting.NewPatchAction(pods, "ns", "nope", types.MergePatchType, []byte(`{}`)), fails: errors.IsNotFound},
		"a patch of an unknown sort": {action: clienttesting.NewPatchAction(pods, "ns", "web", "tea/leaves", []byte(`{}`)),
			fails: func(err error) bool { return err != nil && strings.Contains(err.Error(), "tea/leaves") }},
		"a malformed patch": {action: clienttesting.NewPatchAction(pods, "ns", "web", types.JSONPatchType, []byte(`{`)),
			fails: func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			tracker := newTracker(t, labelled("web", "is", "old"))
			handled, answer, err := clienttesting.ObjectReaction(tracker)(c.action)
			if !handled {
				t.Error("not handled")
			}
			if c.fails != nil {
				if !c.fails(err) || answer != nil {
					t.Errorf("got %v, %v", answer, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !c.other && answer.(*corev1.Pod).Labels["is"] != c.label {
				t.Errorf("the answer is %v", answer)
			}
			stored, err := tracker.Get(pods, "ns", "web")
			if c.none {
				if !errors.IsNotFound(err) {
					t.Errorf("got error %v", err)
				}
				return
			}
			if err != nil || stored.(*corev1.Pod).Labels["is"] != c.label {
				t.Errorf("got %v, %v", stored, err)
			}
		})
	}
}

func TestStrategicMergePatchMergesListsByTheirKeys(t *testing.T) {
	pod := labelled("web")
	pod.Spec.Containers = []corev1.Container{{Name: "a", Image: "old"}, {Name: "b"}}
	_, obj, err := clienttesting.ObjectReaction(newTracker(t, pod))(clienttesting.NewPatchAction(pods, "ns", "web", types.StrategicMergePatchType,
		[]byte(`{"spec":{"containers":[{"name":"a","image":"new"}]}}`)))
	if err != nil {
		t.Fatal(err)
	}
	if containers := obj.(*corev1.Pod).Spec.Containers; len(containers) != 2 || containers[0].Image != "new" {
		t.Errorf("the containers are %v", containers)
	}
}

func TestListsAnswerWithAllObjects(t *testing.T) {
	react := clienttesting.ObjectReaction(newTracker(t, labelled("a"), labelled("b", "x", "y")))
	_, obj, err := react(clienttesting.NewListAction(pods, podKind, "ns", metav1.ListOptions{LabelSelector: "x=y"}))
	if err != nil || len(obj.(*corev1.PodList).Items) != 2 {
		t.Errorf("got %v, %v: the selector is for the clientset to apply", obj, err)
	}
}

func TestOtherActionsAreLeftToOtherReactors(t *testing.T) {
	react := clienttesting.ObjectReaction(newTracker(t))
	for _, action := range []clienttesting.Action{
		clienttesting.NewDeleteCollectionAction(pods, "ns", metav1.ListOptions{}),
		clienttesting.NewWatchAction(pods, "ns", metav1.ListOptions{}),
		clienttesting.GenericActionImpl{},
	} {
		if handled, obj, err := react(action); handled || obj != nil || err == nil {
			t.Errorf("%T: got %t, %v, %v", action, handled, obj, err)
		}
	}
}

// A fake client of one's own is a Fake with the reactions of a tracker.
func Example() {
	scheme := runtime.NewScheme()
	_ = corev1.AddToScheme(scheme)
	tracker := clienttesting.NewObjectTracker(scheme, nil)
	fake := &clienttesting.Fake{}
	fake.AddReactor("*", "*", clienttesting.ObjectReaction(tracker))

	_, _ = fake.Invokes(clienttesting.NewCreateAction(pods, "default", newPod("default", "web")), nil)
	_, err := fake.Invokes(clienttesting.NewGetAction(pods, "default", "db"), nil)
	for _, action := range fake.Actions() {
		fmt.Println(action.GetVerb(), action.GetResource().Resource)
	}
	fmt.Println(errors.IsNotFound(err))
	// Output:
	// create pods
	// get pods
	// true
}

// endingTracker removes an object that is being deleted once nothing holds it,
// as a server does.
type endingTracker struct{ clienttesting.ObjectTracker }

func (t endingTracker) Patch(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.PatchOptions) error {
	if pod := obj.(*corev1.Pod); pod.DeletionTimestamp != nil && len(pod.Finalizers) == 0 {
		return t.Delete(gvr, ns, pod.Name)
	}
	return t.ObjectTracker.Patch(gvr, obj, ns, opts...)
}

func TestPatchThatEndsAnObjectAnswersWithIt(t *testing.T) {
	tracker := endingTracker{clienttesting.NewObjectTracker(newScheme(t))}
	pod := newPod("ns", "web")
	pod.DeletionTimestamp, pod.Finalizers = &metav1.Time{Time: time.Unix(1, 0)}, []string{"example.com/hold"}
	if err := tracker.Add(pod); err != nil {
		t.Fatal(err)
	}
	patch := clienttesting.NewPatchAction(pods, "ns", "web", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	_, answer, err := clienttesting.ObjectReaction(tracker)(patch)
	if err != nil || answer.(*corev1.Pod).Name != "web" || len(answer.(*corev1.Pod).Finalizers) != 0 {
		t.Errorf("got %v, %v", answer, err)
	}
	if _, err := tracker.Get(pods, "ns", "web"); !errors.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}
}
