package selecting_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	policyv1beta1 "k8s.io/api/policy/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appslisters "k8s.io/client-go/listers/apps/v1"
	batchlisters "k8s.io/client-go/listers/batch/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	policylisters "k8s.io/client-go/listers/policy/v1"
	policylistersv1beta1 "k8s.io/client-go/listers/policy/v1beta1"
	"k8s.io/client-go/tools/cache"
)

var (
	app     = map[string]string{"app": "web"}
	unusual = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: "Contains"}}}
)

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// store has objects of one kind that select pods in different ways.
func store[T any](t *testing.T, object func(metav1.ObjectMeta, *metav1.LabelSelector) T) cache.Indexer {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for _, o := range []T{
		object(named("a", "match"), &metav1.LabelSelector{MatchLabels: app}),
		object(named("a", "other"), &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}),
		object(named("b", "elsewhere"), &metav1.LabelSelector{MatchLabels: app}),
		object(named("a", "empty"), &metav1.LabelSelector{}),
		object(named("a", "none"), nil),
		object(named("a", "wrong"), unusual),
	} {
		if err := indexer.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	return indexer
}

func TestWhatSelectsAPod(t *testing.T) {
	labelled := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "pod", Labels: app}}
	stranger := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: "pod", Labels: map[string]string{"app": "other"}}}
	unlabelled := &corev1.Pod{ObjectMeta: named("a", "pod")}

	replicaSets := appslisters.NewReplicaSetLister(store(t, func(m metav1.ObjectMeta, s *metav1.LabelSelector) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{ObjectMeta: m, Spec: appsv1.ReplicaSetSpec{Selector: s}}
	}))
	jobs := batchlisters.NewJobLister(store(t, func(m metav1.ObjectMeta, s *metav1.LabelSelector) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: m, Spec: batchv1.JobSpec{Selector: s}}
	}))
	controllers := corelisters.NewReplicationControllerLister(store(t, func(m metav1.ObjectMeta, s *metav1.LabelSelector) *corev1.ReplicationController {
		if s == nil || s.MatchExpressions != nil {
			s = &metav1.LabelSelector{}
		}
		return &corev1.ReplicationController{ObjectMeta: m, Spec: corev1.ReplicationControllerSpec{Selector: s.MatchLabels}}
	}))
	budgets := policylisters.NewPodDisruptionBudgetLister(store(t, func(m metav1.ObjectMeta, s *metav1.LabelSelector) *policyv1.PodDisruptionBudget {
		return &policyv1.PodDisruptionBudget{ObjectMeta: m, Spec: policyv1.PodDisruptionBudgetSpec{Selector: s}}
	}))
	oldBudgets := policylistersv1beta1.NewPodDisruptionBudgetLister(store(t, func(m metav1.ObjectMeta, s *metav1.LabelSelector) *policyv1beta1.PodDisruptionBudget {
		return &policyv1beta1.PodDisruptionBudget{ObjectMeta: m, Spec: policyv1beta1.PodDisruptionBudgetSpec{Selector: s}}
	}))

	for _, c := range []struct {
		kind string
		find func(*corev1.Pod) ([]string, error)
		// What selects the pod with the labels, another one, and one without.
		labelled, stranger, unlabelled []string
	}{
		{"ReplicaSet", found(replicaSets.GetPodReplicaSets), []string{"match"}, nil, nil},
		{"Job", found(func(pod *corev1.Pod) ([]*batchv1.Job, error) {
			values, err := jobs.GetPodJobs(pod)
			var pointers []*batchv1.Job
			for i := range values {
				pointers = append(pointers, &values[i])
			}
			return pointers, err
		}), []string{"match"}, nil, nil},
		{"ReplicationController", found(controllers.GetPodControllers), []string{"match"}, nil, nil},
		{"PodDisruptionBudget", found(budgets.GetPodPodDisruptionBudgets), []string{"empty", "match"}, []string{"empty"}, []string{"empty"}},
		{"PodDisruptionBudget", found(oldBudgets.GetPodPodDisruptionBudgets), []string{"match"}, nil, nil},
	} {
		for _, p := range []struct {
			pod  *corev1.Pod
			want []string
		}{{labelled, c.labelled}, {stranger, c.stranger}, {unlabelled, c.unlabelled}} {
			got, err := c.find(p.pod)
			if !slices.Equal(got, p.want) || (err == nil) != (len(p.want) > 0) {
				t.Errorf("%s for a pod labelled %v: %v, %v; want %v", c.kind, p.pod.Labels, got, err, p.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.kind) {
				t.Errorf("the error does not name %s: %v", c.kind, err)
			}
		}
	}
}

func found[T metav1.Object](find func(*corev1.Pod) ([]T, error)) func(*corev1.Pod) ([]string, error) {
	return func(pod *corev1.Pod) ([]string, error) {
		objects, err := find(pod)
		var names []string
		for _, object := range objects {
			names = append(names, object.GetName())
		}
		slices.Sort(names)
		return names, err
	}
}
