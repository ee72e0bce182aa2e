package groupscheme

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
)

// TestEachClientGoesByTheFeatureGate, also if another one was made before it.
func TestEachClientGoesByTheFeatureGate(t *testing.T) {
	lazy := newLazy()
	speaksCBOR := func() bool {
		_, ok := runtime.SerializerInfoForMediaType(lazy.Serializer().SupportedMediaTypes(), runtime.ContentTypeCBOR)
		return ok
	}
	if speaksCBOR() {
		t.Error("CBOR without the gate")
	}
	featurestesting.SetFeatureDuringTest(t, features.ClientsAllowCBOR, true)
	if !speaksCBOR() {
		t.Error("no CBOR with the gate")
	}
}
