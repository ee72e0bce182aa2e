package listers_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/listers"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

func pod(namespace, name, app string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": app}}}
}

func names[T metav1.Object](objects []T) []string {
	var all []string
	for _, object := range objects {
		all = append(all, cache.MetaObjectToName(object).String())
	}
	slices.Sort(all)
	return all
}

func TestListFindsByNamespaceAndLabels(t *testing.T) {
	byNamespace := cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}
	for name, indexers := range map[string]cache.Indexers{"with an index": byNamespace, "without one": nil} {
		t.Run(name, func(t *testing.T) {
			indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexers)
			for _, p := range []*corev1.Pod{pod("a", "one", "web"), pod("a", "two", "db"), pod("b", "one", "web")} {
				if err := indexer.Add(p); err != nil {
					t.Fatal(err)
				}
			}
			lister := corelisters.NewPodLister(indexer)
			web := labels.SelectorFromSet(labels.Set{"app": "web"})
			for _, c := range []struct {
				namespace string
				selector  labels.Selector
				want      []string
			}{
				{"", labels.Everything(), []string{"a/one", "a/two", "b/one"}},
				{"", nil, []string{"a/one", "a/two", "b/one"}},
				{"", web, []string{"a/one", "b/one"}},
				{"", labels.Nothing(), nil},
				{"a", labels.Everything(), []string{"a/one", "a/two"}},
				{"a", web, []string{"a/one"}},
				{"c", labels.Everything(), nil},
			} {
				got, err := lister.Pods(c.namespace).List(c.selector)
				if err != nil || !slices.Equal(names(got), c.want) {
					t.Errorf("namespace %q, selector %v: %v, %v; want %v", c.namespace, c.selector, names(got), err, c.want)
				}
				if len(got) == 0 && got != nil {
					t.Errorf("namespace %q, selector %v: an empty slice, which is not nil", c.namespace, c.selector)
				}
			}
			all, err := lister.List(web)
			if want := []string{"a/one", "b/one"}; err != nil || !slices.Equal(names(all), want) {
				t.Errorf("of all namespaces: %v, %v; want %v", names(all), err, want)
			}
		})
	}
}

func TestGetReturnsWhatIsInTheStore(t *testing.T) {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	stored, node := pod("a", "one", "web"), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}
	for _, object := range []any{stored, node} {
		if err := indexer.Add(object); err != nil {
			t.Fatal(err)
		}
	}
	pods := corelisters.NewPodLister(indexer)
	if got, err := pods.Pods("a").Get("one"); err != nil || got != stored {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := corelisters.NewNodeLister(indexer).Get("n"); err != nil || got != node {
		t.Errorf("got %v, %v", got, err)
	}
	got, err := pods.Pods("b").Get("one")
	if got != nil || !apierrors.IsNotFound(err) {
		t.Errorf("of another namespace: %v, %v; want an error that says it is not found", got, err)
	}
	if want := `pod "one" not found`; err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
}

func TestListersOfAParentShareItsStore(t *testing.T) {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	parent := listers.New[*corev1.Pod](indexer, corev1.Resource("pod"))
	narrowed := listers.NewNamespaced(parent, "a")
	if err := indexer.Add(pod("a", "one", "web")); err != nil {
		t.Fatal(err)
	}
	if _, err := narrowed.Get("one"); err != nil {
		t.Error(err)
	}
}
