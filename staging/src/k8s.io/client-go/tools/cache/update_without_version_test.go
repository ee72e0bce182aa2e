package cache_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// Trackers of clients for tests leave the resource version empty.
func TestHandlersAreToldOfUpdatesThatHaveNoResourceVersion(t *testing.T) {
	events := watch.NewFakeWithChanSize(2, false)
	events.Add(newPod("default", "one", ""))
	updated := newPod("default", "one", "")
	updated.Labels = map[string]string{"seen": "true"}
	events.Modify(updated)
	informer := cache.NewSharedInformer(unstreamed{&cache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			return &corev1.PodList{}, nil
		},
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return events, nil },
	}}, &corev1.Pod{}, 0)
	got := make(chan any, 1)
	add(t, informer, cache.ResourceEventHandlerFuncs{UpdateFunc: func(_, obj any) { got <- obj }})
	defer run(t, informer)()
	if obj := <-got; obj != updated {
		t.Errorf("told of %v, want %v", obj, updated)
	}
}

type unstreamed struct{ *cache.ListWatch }

func (unstreamed) IsWatchListSemanticsUnSupported() bool { return true }
