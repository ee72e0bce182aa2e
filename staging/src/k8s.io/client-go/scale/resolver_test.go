package scale

import (
	"errors"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// apiServer is as much of discovery as a resolver uses.
type apiServer struct {
	discovery.ServerResourcesInterface
	mu        sync.Mutex
	asked     int
	resources []metav1.APIResource
	err       error
}

func (s *apiServer) ServerResourcesForGroupVersion(string) (*metav1.APIResourceList, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return &metav1.APIResourceList{APIResources: s.resources}, s.err
}

func TestTheFormOfAScaleComesFromDiscovery(t *testing.T) {
	s := &apiServer{resources: []metav1.APIResource{
		{Name: "deployments", Kind: "Deployment"},
		{Name: "deployments/scale", Kind: "Scale", Group: "autoscaling", Version: "v1"},
		{Name: "bare/scale", Kind: "Scale"},
		{Name: "half/scale", Kind: "Scale", Group: "autoscaling"},
		{Name: "deployments/status", Kind: "Deployment"},
	}}
	r := NewDiscoveryScaleKindResolver(s)
	gv := schema.GroupVersion{Group: "apps", Version: "v1"}
	for range 3 {
		for resource, want := range map[string]schema.GroupVersionKind{
			"deployments": {Group: "autoscaling", Version: "v1", Kind: "Scale"},
			"bare":        gv.WithKind("Scale"),
			"half":        gv.WithKind("Scale"),
		} {
			if got, err := r.ScaleForResource(gv.WithResource(resource)); err != nil || got != want {
				t.Errorf("%s: got %v, %v; want %v", resource, got, err, want)
			}
		}
	}
	if s.asked != 1 {
		t.Errorf("asked %d times, want once", s.asked)
	}
}

func TestWhatIsNotFoundIsAskedForAgain(t *testing.T) {
	s := new(apiServer)
	r := NewDiscoveryScaleKindResolver(s)
	resource := schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "things"}
	if got, err := r.ScaleForResource(resource); err == nil {
		t.Errorf("got %v", got)
	}
	s.err = errors.New("down")
	if got, err := r.ScaleForResource(resource); !errors.Is(err, s.err) {
		t.Errorf("got %v, %v", got, err)
	}
	s.err, s.resources = nil, []metav1.APIResource{{Name: "things/scale", Kind: "Scale", Group: "autoscaling", Version: "v1"}}
	if _, err := r.ScaleForResource(resource); err != nil {
		t.Error(err)
	}
}

func TestOneResolverServesManyGoroutines(t *testing.T) {
	s := &apiServer{resources: []metav1.APIResource{{Name: "things/scale", Kind: "Scale"}}}
	r := NewDiscoveryScaleKindResolver(s)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := r.ScaleForResource(schema.GroupVersionResource{Version: "v1", Resource: "things"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
