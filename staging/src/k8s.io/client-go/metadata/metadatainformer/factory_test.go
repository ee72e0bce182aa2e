package metadatainformer_test

import (
	"context"
	"maps"
	"testing"

	"go.uber.org/goleak"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/metadata/metadatainformer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var pods = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

func pod(namespace, name string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Annotations: map[string]string{"long": "story"}},
	}
}

func TestInformersKeepMetadataAsATransformLeavesIt(t *testing.T) {
	scheme := runtime.NewScheme()
	metav1.AddMetaToScheme(scheme)
	client := fake.NewSimpleMetadataClient(scheme, pod("a", "one"), pod("b", "two"))
	factory := metadatainformer.NewSharedInformerFactoryWithOptions(client, 0, metadatainformer.WithTransform(func(obj any) (any, error) {
		obj.(*metav1.PartialObjectMetadata).Annotations = nil
		return obj, nil
	}))
	informer := factory.ForResource(pods)
	informer.Informer()
	ctx, cancel := context.WithCancel(t.Context())
	factory.Start(ctx.Done())
	if synced := factory.WaitForCacheSync(ctx.Done()); !maps.Equal(synced, map[schema.GroupVersionResource]bool{pods: true}) {
		t.Errorf("synced: %v", synced)
	}
	found, err := informer.Lister().List(labels.Everything())
	if err != nil || len(found) != 2 {
		t.Errorf("found %v, %v", found, err)
	}
	got, err := informer.Lister().ByNamespace("b").Get("two")
	if err != nil {
		t.Fatal(err)
	}
	if annotations := got.(*metav1.PartialObjectMetadata).Annotations; annotations != nil {
		t.Errorf("the annotations are there: %v", annotations)
	}
	cancel()
	factory.Shutdown()
}
