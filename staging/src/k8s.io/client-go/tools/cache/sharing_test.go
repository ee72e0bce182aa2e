package cache_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/tools/cache"
)

func TestObjectsOfAnInformerShareWhatIsTheSame(t *testing.T) {
	for _, streams := range []bool{false, true} {
		for _, transforms := range []bool{false, true} {
			for _, wrapped := range []bool{false, true} {
				t.Run(fmt.Sprintf("streams=%t,transforms=%t,wrapped=%t", streams, transforms, wrapped), func(t *testing.T) {
					featurestesting.SetFeatureDuringTest(t, features.WatchListClient, streams)
					srv := newServer(t, newSource("a", "b", "c", "d"))
					source := srv.listWatch(t)
					if wrapped { // by somebody who may change what comes
						client := srv.client(t)
						source = &cache.ListWatch{
							ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
								return client.Get().Namespace("ns").Resource("pods").VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Get()
							},
							WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
								return client.Get().Namespace("ns").Resource("pods").VersionedParams(&options, metav1.ParameterCodec).Watch(ctx)
							},
						}
					}
					informer := cache.NewSharedInformer(source, &corev1.Pod{}, 0)
					if transforms {
						if err := informer.SetTransform(func(obj any) (any, error) {
							obj.(*corev1.Pod).Labels = map[string]string{"transformed": "yes"}
							return obj, nil
						}); err != nil {
							t.Fatal(err)
						}
					}
					told := &follower{}
					add(t, informer, told)
					stop := run(t, informer)
					defer stop()
					srv.caughtUp(t, informer, told)
					srv.set("c")
					srv.set("e")
					srv.caughtUp(t, informer, told)
					if n := len(namespacesOf(informer.GetStore())); n != 1 {
						t.Errorf("there are %d strings for one namespace", n)
					}
				})
			}
		}
	}
}

// namespacesOf returns where the namespaces of objects are in memory.
func namespacesOf(store cache.Store) map[*byte]bool {
	places := map[*byte]bool{}
	for _, obj := range store.List() {
		places[unsafe.StringData(obj.(*corev1.Pod).Namespace)] = true
	}
	return places
}

// TestObjectsOfAClientForTestsAreLeftAlone: whoever made them may look at them while the
// informer has them. The race detector sees a write.
func TestObjectsOfAClientForTestsAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a", "b")
		for _, pod := range s.pods {
			pod.Namespace = string([]byte("ns")) // each its own
		}
		informer := cache.NewSharedInformer(s, &corev1.Pod{}, 0)
		stop := run(t, informer)
		synctest.Wait()
		if n := len(namespacesOf(informer.GetStore())); n != 2 {
			t.Errorf("there are %d strings for two namespaces", n)
		}
		stop()
	})
}

func TestAListThatChangesNothingTakesNoMemory(t *testing.T) {
	for _, streams := range []bool{false, true} {
		t.Run(fmt.Sprintf("streams=%t", streams), func(t *testing.T) {
			featurestesting.SetFeatureDuringTest(t, features.WatchListClient, streams)
			synctest.Test(t, func(t *testing.T) {
				s := newSource("a", "b")
				informer := cache.NewSharedInformer(s, &corev1.Pod{}, 0)
				stop := run(t, informer)
				defer stop()
				synctest.Wait()
				before, _, _ := informer.GetStore().GetByKey("ns/a")
				// The server has copies of them, and one that changed.
				s.mu.Lock()
				for name, pod := range s.pods {
					s.pods[name] = pod.DeepCopy()
				}
				s.mu.Unlock()
				expired := apierrors.NewResourceExpired("x").Status()
				s.endWatches(&expired)
				s.set("b")
				s.forget()
				time.Sleep(10 * time.Minute)
				after, _, _ := informer.GetStore().GetByKey("ns/a")
				if before != after {
					t.Error("it is another object")
				}
				if b, _, _ := informer.GetStore().GetByKey("ns/b"); at(b) != "b@3" {
					t.Errorf("the other one is %s", at(b))
				}
			})
		})
	}
}

func TestObjectsOfOtherStoresAreTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource("a", "b")
		for _, pod := range s.pods {
			pod.Labels = map[string]string{"app": "x"}
		}
		store := cache.NewStore(cache.MetaNamespaceKeyFunc)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			cache.NewReflector(s, &corev1.Pod{}, store, 0).RunWithContext(ctx)
		}()
		synctest.Wait()
		for _, obj := range store.List() { // whoever has a reflector may change what it gets
			pod := obj.(*corev1.Pod)
			if pod.Labels["changed"] != "" {
				t.Errorf("%s changed with another one", pod.Name)
			}
			pod.Labels["changed"] = pod.Name
		}
		cancel()
		<-done
	})
}
