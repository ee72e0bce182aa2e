package informers_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"go.uber.org/goleak"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pod(namespace, name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: corev1.PodSpec{NodeName: "n"}}
}

// run runs what was asked of a factory until the test ends, when nothing of it may be
// left.
func run(t *testing.T, factory informers.SharedInformerFactory) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(factory.Shutdown)
	t.Cleanup(cancel)
	factory.StartWithContext(ctx)
	if err := factory.WaitForCacheSyncWithContext(ctx).AsError(); err != nil {
		t.Fatal(err)
	}
}

func TestInformersFollowAFakeClient(t *testing.T) {
	client := fake.NewClientset(pod("a", "one"))
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods()
	told := make(chan string, 10)
	if _, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { told <- "add " + obj.(*corev1.Pod).Name },
		UpdateFunc: func(_, obj any) { told <- "update " + obj.(*corev1.Pod).Name },
		DeleteFunc: func(obj any) { told <- "delete " + obj.(*corev1.Pod).Name },
	}); err != nil {
		t.Fatal(err)
	}
	run(t, factory)
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return nil }, "add one"},
		{func() error {
			_, err := client.CoreV1().Pods("b").Create(t.Context(), pod("b", "two"), metav1.CreateOptions{})
			return err
		}, "add two"},
		{func() error {
			changed := pod("b", "two")
			changed.Labels = map[string]string{"app": "web"}
			_, err := client.CoreV1().Pods("b").Update(t.Context(), changed, metav1.UpdateOptions{})
			return err
		}, "update two"},
		{func() error { return client.CoreV1().Pods("a").Delete(t.Context(), "one", metav1.DeleteOptions{}) }, "delete one"},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := <-told; got != step.want {
			t.Errorf("told %q, want %q", got, step.want)
		}
	}
	found, err := pods.Lister().List(labels.SelectorFromSet(labels.Set{"app": "web"}))
	if err != nil || len(found) != 1 || found[0].Name != "two" {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestAKindHasOneInformerByWhateverWay(t *testing.T) {
	factory := informers.NewSharedInformerFactory(fake.NewClientset(), 0)
	pods := factory.Core().V1().Pods().Informer()
	generic, err := factory.ForResource(corev1.SchemeGroupVersion.WithResource("pods"))
	if err != nil {
		t.Fatal(err)
	}
	if generic.Informer() != pods || factory.Core().V1().Pods().Informer() != pods {
		t.Error("there are several")
	}
	if factory.Core().V1().Nodes().Informer() == pods {
		t.Error("another kind has the same one")
	}
	if _, err := factory.ForResource(corev1.SchemeGroupVersion.WithResource("nothing")); err == nil {
		t.Error("a resource that does not exist has one")
	}
}

func TestOptionsNarrowAndChangeWhatIsKept(t *testing.T) {
	client := fake.NewClientset(pod("a", "one"), pod("b", "two"))
	tweaked := make(chan string, 10)
	factory := informers.NewSharedInformerFactoryWithOptions(client, time.Minute,
		informers.WithNamespace("b"),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { tweaked <- o.ResourceVersion }),
		informers.WithTransform(func(obj any) (any, error) {
			obj.(*corev1.Pod).Spec = corev1.PodSpec{}
			return obj, nil
		}),
		informers.WithCustomResyncConfig(map[metav1.Object]time.Duration{&appsv1.Deployment{}: time.Hour}),
	)
	generic, err := factory.ForResource(corev1.SchemeGroupVersion.WithResource("pods"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, factory)
	<-tweaked
	found, err := generic.Lister().List(labels.Everything())
	if err != nil || len(found) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	if got := found[0].(*corev1.Pod); got.Name != "two" || !reflect.DeepEqual(got.Spec, corev1.PodSpec{}) {
		t.Errorf("found %v", got)
	}
	if got, err := generic.Lister().ByNamespace("b").Get("two"); err != nil || got != found[0] {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAFactoryReleasesItsName(t *testing.T) {
	name, err := cache.NewInformerName("factory")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("while it runs", func(t *testing.T) {
		factory := informers.NewSharedInformerFactoryWithOptions(fake.NewClientset(), 0, informers.WithInformerName(name))
		factory.Core().V1().Pods().Informer()
		if factory.InformerName() != name {
			t.Error("it does not tell its name")
		}
		run(t, factory)
		if _, err := cache.NewInformerName("factory"); err == nil {
			t.Error("the name is free")
		}
	})
	again, err := cache.NewInformerName("factory")
	if err != nil {
		t.Fatal(err)
	}
	again.Release()
}
