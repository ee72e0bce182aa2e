package fake_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	appsapplyv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapplyv1 "k8s.io/client-go/applyconfigurations/core/v1"
	metaapplyv1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// each runs a test with the clientsets of both constructors.
func each(t *testing.T, test func(t *testing.T, newClientset func(...runtime.Object) *fake.Clientset)) {
	t.Run("NewClientset", func(t *testing.T) { test(t, fake.NewClientset) })
	t.Run("NewSimpleClientset", func(t *testing.T) { test(t, fake.NewSimpleClientset) })
}

func configMap(namespace, name string, labels map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Data:       map[string]string{"size": "1"},
	}
}

func TestObjectsAreCreatedReadUpdatedAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, newClientset func(...runtime.Object) *fake.Clientset) {
		ctx := t.Context()
		maps := newClientset().CoreV1().ConfigMaps("shop")

		if _, err := maps.Get(ctx, "till", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("got error %v before there is one, want not found", err)
		}
		created, err := maps.Create(ctx, configMap("", "till", nil), metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if created.Namespace != "shop" {
			t.Errorf("it was created in namespace %q, want the client's", created.Namespace)
		}
		if _, err := maps.Create(ctx, configMap("", "till", nil), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
			t.Errorf("got error %v when it was there, want already exists", err)
		}
		created.Data["size"] = "2"
		if _, err := maps.Update(ctx, created, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := maps.Get(ctx, "till", metav1.GetOptions{})
		if err != nil || got.Data["size"] != "2" {
			t.Errorf("got %v and error %v, want what the update wrote", got, err)
		}
		if err := maps.Delete(ctx, "till", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := maps.Get(ctx, "till", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("got error %v after it was deleted, want not found", err)
		}
	})
}

func TestObjectsAreListedByNamespaceAndLabel(t *testing.T) {
	each(t, func(t *testing.T, newClientset func(...runtime.Object) *fake.Clientset) {
		clientset := newClientset(
			configMap("shop", "till", map[string]string{"kind": "box"}),
			configMap("shop", "sign", nil),
			configMap("cellar", "crate", map[string]string{"kind": "box"}),
			&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "rack"}},
			&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "reader"}},
		)
		for _, test := range []struct {
			namespace, labels string
			want              []string
		}{
			{"shop", "", []string{"sign", "till"}},
			{"", "kind=box", []string{"crate", "till"}},
			{"attic", "", nil},
		} {
			list, err := clientset.CoreV1().ConfigMaps(test.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: test.labels})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, item := range list.Items {
				names = append(names, item.Name)
			}
			slices.Sort(names)
			if !slices.Equal(names, test.want) {
				t.Errorf("namespace %q with labels %q has %v, want %v", test.namespace, test.labels, names, test.want)
			}
		}
		if nodes, err := clientset.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err != nil || len(nodes.Items) != 1 {
			t.Errorf("got nodes %v and error %v, want one node", nodes, err)
		}
		if role, err := clientset.RbacV1().ClusterRoles().Get(t.Context(), "reader", metav1.GetOptions{}); err != nil || role.Name != "reader" {
			t.Errorf("got role %v and error %v", role, err)
		}
	})
}

func TestWatchersSeeWhatIsWritten(t *testing.T) {
	each(t, func(t *testing.T, newClientset func(...runtime.Object) *fake.Clientset) {
		ctx := t.Context()
		clientset := newClientset()
		watcher, err := clientset.CoreV1().ConfigMaps("shop").Watch(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer watcher.Stop()
		writeConfigMaps(t, ctx, clientset)
		for _, want := range []watch.EventType{watch.Added, watch.Modified, watch.Deleted} {
			event := <-watcher.ResultChan()
			if object, isMap := event.Object.(*corev1.ConfigMap); event.Type != want || !isMap || object.Namespace != "shop" {
				t.Errorf("got %s of %v, want %s of the object in the shop", event.Type, event.Object, want)
			}
		}
	})
}

func writeConfigMaps(t *testing.T, ctx context.Context, clientset kubernetes.Interface) {
	t.Helper()
	for _, namespace := range []string{"cellar", "shop"} {
		maps := clientset.CoreV1().ConfigMaps(namespace)
		_, created := maps.Create(ctx, configMap(namespace, "till", nil), metav1.CreateOptions{})
		_, updated := maps.Update(ctx, configMap(namespace, "till", map[string]string{"a": "b"}), metav1.UpdateOptions{})
		if err := errors.Join(created, updated, maps.Delete(ctx, "till", metav1.DeleteOptions{})); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPatchesAreApplied(t *testing.T) {
	each(t, func(t *testing.T, newClientset func(...runtime.Object) *fake.Clientset) {
		for _, test := range []struct {
			patch      types.PatchType
			body       string
			containers int
		}{
			{types.JSONPatchType, `[{"op":"replace","path":"/spec/replicas","value":3}]`, 1},
			{types.MergePatchType, `{"spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"b"}]}}}}`, 1},
			{types.StrategicMergePatchType, `{"spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"b"}]}}}}`, 2},
		} {
			one := int32(1)
			deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
			deployment.Spec.Replicas = &one
			deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "a"}}
			deployments := newClientset(deployment).AppsV1().Deployments("shop")
			got, err := deployments.Patch(t.Context(), "web", test.patch, []byte(test.body), metav1.PatchOptions{})
			if err != nil {
				t.Errorf("%s: %v", test.patch, err)
				continue
			}
			if *got.Spec.Replicas != 3 || len(got.Spec.Template.Spec.Containers) != test.containers {
				t.Errorf("%s makes it %v, want 3 replicas of %d containers", test.patch, got.Spec, test.containers)
			}
			if kept, err := deployments.Get(t.Context(), "web", metav1.GetOptions{}); err != nil || *kept.Spec.Replicas != 3 {
				t.Errorf("%s is not kept: got %v and error %v", test.patch, kept, err)
			}
			_, err = deployments.Patch(t.Context(), "none", test.patch, []byte(test.body), metav1.PatchOptions{})
			if !apierrors.IsNotFound(err) {
				t.Errorf("%s of no object: got error %v, want not found", test.patch, err)
			}
		}
	})
}

func TestApplyTracksWhoOwnsAField(t *testing.T) {
	ctx := t.Context()
	maps := fake.NewClientset().CoreV1().ConfigMaps("shop")
	size := func(value string) *coreapplyv1.ConfigMapApplyConfiguration {
		return coreapplyv1.ConfigMap("till", "shop").WithData(map[string]string{"size": value})
	}
	created, err := maps.Apply(ctx, size("1"), metav1.ApplyOptions{FieldManager: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if owned, err := coreapplyv1.ExtractConfigMap(created, "a"); err != nil || owned.Data["size"] != "1" {
		t.Errorf("manager a owns %v, error %v, want the size that it applied", owned, err)
	}
	if _, err := maps.Apply(ctx, size("2"), metav1.ApplyOptions{FieldManager: "b"}); !apierrors.IsConflict(err) {
		t.Errorf("got error %v when b applied what a owns, want a conflict", err)
	}
	forced, err := maps.Apply(ctx, size("2"), metav1.ApplyOptions{FieldManager: "b", Force: true})
	if err != nil {
		t.Fatal(err)
	}
	if owned, err := coreapplyv1.ExtractConfigMap(forced, "a"); err != nil || owned.Data != nil {
		t.Errorf("manager a owns %v, error %v, after b took its field", owned, err)
	}
	if _, err := maps.Apply(ctx, coreapplyv1.ConfigMap("till", "shop"), metav1.ApplyOptions{FieldManager: "b"}); err != nil {
		t.Fatal(err)
	}
	if got, err := maps.Get(ctx, "till", metav1.GetOptions{}); err != nil || len(got.Data) > 0 {
		t.Errorf("got %v and error %v, want no data: nobody applies it any more", got, err)
	}
}

func TestApplyMergesListsByTheirKeys(t *testing.T) {
	ctx := t.Context()
	deployments := fake.NewClientset().AppsV1().Deployments("shop")
	with := func(container string) *appsapplyv1.DeploymentApplyConfiguration {
		return appsapplyv1.Deployment("web", "shop").WithSpec(appsapplyv1.DeploymentSpec().
			WithSelector(metaapplyv1.LabelSelector().WithMatchLabels(map[string]string{"app": "web"})).
			WithTemplate(coreapplyv1.PodTemplateSpec().WithSpec(coreapplyv1.PodSpec().
				WithContainers(coreapplyv1.Container().WithName(container).WithImage("example.com/" + container)))))
	}
	if _, err := deployments.Apply(ctx, with("main"), metav1.ApplyOptions{FieldManager: "a"}); err != nil {
		t.Fatal(err)
	}
	got, err := deployments.Apply(ctx, with("proxy"), metav1.ApplyOptions{FieldManager: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if containers := got.Spec.Template.Spec.Containers; len(containers) != 2 {
		t.Errorf("the containers are %v, want those of both managers", containers)
	}
	owned, err := appsapplyv1.ExtractDeployment(got, "b")
	if err != nil {
		t.Fatal(err)
	}
	if containers := owned.Spec.Template.Spec.Containers; len(containers) != 1 || *containers[0].Name != "proxy" {
		t.Errorf("manager b owns the containers %v, want its own", containers)
	}
}

func TestWhatIsExtractedCanBeChangedAndAppliedAgain(t *testing.T) {
	ctx := t.Context()
	maps := fake.NewClientset().CoreV1().ConfigMaps("shop")
	options := metav1.ApplyOptions{FieldManager: "a"}
	first, err := maps.Apply(ctx, coreapplyv1.ConfigMap("till", "shop").
		WithLabels(map[string]string{"kind": "box"}).WithData(map[string]string{"size": "1"}), options)
	if err != nil {
		t.Fatal(err)
	}
	extracted, err := coreapplyv1.ExtractConfigMap(first, "a")
	if err != nil {
		t.Fatal(err)
	}
	second, err := maps.Apply(ctx, extracted.WithData(map[string]string{"colour": "red"}), options)
	if err != nil {
		t.Fatal(err)
	}
	if second.Labels["kind"] != "box" || second.Data["size"] != "1" || second.Data["colour"] != "red" {
		t.Errorf("got %v, want what was applied first, and the colour", second)
	}
	if len(second.ManagedFields) != 1 {
		t.Errorf("the fields are managed by %v, want one manager", second.ManagedFields)
	}
}

func TestReactorsComeBeforeTheObjects(t *testing.T) {
	each(t, func(t *testing.T, newClientset func(...runtime.Object) *fake.Clientset) {
		clientset := newClientset(configMap("shop", "till", nil))
		refused := errors.New("not today")
		clientset.PrependReactor("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, refused })
		if _, err := clientset.CoreV1().ConfigMaps("shop").Get(t.Context(), "till", metav1.GetOptions{}); !errors.Is(err, refused) {
			t.Errorf("got error %v, want the reactor's", err)
		}
		actions := clientset.Actions()
		if len(actions) != 1 || !actions[0].Matches("get", "configmaps") || actions[0].GetNamespace() != "shop" {
			t.Errorf("recorded %v, want the get", actions)
		}
	})
}

func TestPodSubresourcesReachTheTrackerOfTheClientset(t *testing.T) {
	each(t, func(t *testing.T, newClientset func(...runtime.Object) *fake.Clientset) {
		clientset := newClientset(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}})
		log, err := clientset.CoreV1().Pods("shop").GetLogs("web", &corev1.PodLogOptions{}).DoRaw(t.Context())
		if err != nil || string(log) != "fake logs" {
			t.Errorf("the log is %q with error %v", log, err)
		}
		err = clientset.CoreV1().Pods("shop").Bind(t.Context(), &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Errorf("Bind: %v", err)
		}
	})
}
