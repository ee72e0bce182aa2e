package cache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

func TestAChangedObjectIsFoundOut(t *testing.T) {
	t.Setenv("KUBE_CACHE_MUTATION_DETECTOR", "true")
	synctest.Test(t, func(t *testing.T) {
		detector := cache.NewCacheMutationDetector("pods")
		changed := podAt("a", 1)
		detector.AddObject(changed)
		detector.AddObject(cache.DeletedFinalStateUnknown{Key: "b", Obj: podAt("b", 1)})
		changed.Labels = map[string]string{"changed": "yes"}
		defer func() {
			if recover() == nil {
				t.Error("it was not found out")
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		detector.Run(ctx.Done())
	})
}

func TestObjectsThatStayAsTheyAreAreNoFault(t *testing.T) {
	t.Setenv("KUBE_CACHE_MUTATION_DETECTOR", "true")
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a", "b")
		informer := cache.NewSharedInformer(s, &corev1.Pod{}, time.Second)
		stop := run(t, informer)
		for range 10 {
			s.set("a")
			time.Sleep(time.Minute)
		}
		stop()
	})
}
