package dynamic

import (
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/features"
)

// serializer negotiates the formats that a dynamic client speaks. There is no
// version to convert to: objects are what the server sent.
type serializer struct {
	infos []runtime.SerializerInfo
}

func newSerializer() runtime.NegotiatedSerializer {
	s := serializer{infos: []runtime.SerializerInfo{{
		MediaType:        "application/json",
		MediaTypeType:    "application",
		MediaTypeSubType: "json",
		EncodesAsText:    true,
		Serializer:       jsonSerializer{},
		PrettySerializer: jsonSerializer{indent: "  "},
		StreamSerializer: &runtime.StreamSerializerInfo{
			EncodesAsText: true,
			Serializer:    jsonSerializer{},
			Framer:        json.Framer,
		},
	}}}
	if features.FeatureGates().Enabled(features.ClientsAllowCBOR) {
		s.infos = append(s.infos, runtime.SerializerInfo{
			MediaType:        "application/cbor",
			MediaTypeType:    "application",
			MediaTypeSubType: "cbor",
			Serializer:       cbor.NewSerializer(kinds{}, kinds{}),
			StreamSerializer: &runtime.StreamSerializerInfo{
				Serializer: cbor.NewSerializer(kinds{}, kinds{}, cbor.Transcode(false)),
				Framer:     cbor.NewFramer(),
			},
		})
	}
	return s
}

func (s serializer) SupportedMediaTypes() []runtime.SerializerInfo { return s.infos }

// EncoderForVersion ignores the version: all objects that are encoded say
// which version they are of, or have only one.
func (s serializer) EncoderForVersion(encoder runtime.Encoder, _ runtime.GroupVersioner) runtime.Encoder {
	return kindEncoder{encoder}
}

func (s serializer) DecoderToVersion(decoder runtime.Decoder, _ runtime.GroupVersioner) runtime.Decoder {
	return decoder
}

// kindEncoder sees to it that options, which callers leave without a kind, are
// sent with one.
type kindEncoder struct {
	runtime.Encoder
}

func (e kindEncoder) Encode(obj runtime.Object, w io.Writer) error {
	if _, ok := obj.(runtime.Unstructured); ok {
		return e.Encoder.Encode(obj, w)
	}
	return runtime.WithVersionEncoder{Encoder: e.Encoder, ObjectTyper: kinds{}}.Encode(obj, w)
}

// kinds says which Go type stands for which kind. Two kinds that the server
// answers with are known to all clients: the status of an error and the event
// of a watch. The rest is unstructured, so that no scheme is needed.
type kinds struct{}

var v1 = schema.GroupVersion{Version: "v1"}

// isStatus reports whether a kind is that of a server's status. Most servers say
// that it is of version v1; aggregated ones may name the group that it is defined in.
// A resource of somebody else's may be called Status, too, and is none.
func isStatus(kind schema.GroupVersionKind) bool {
	return kind == v1.WithKind("Status") || kind == metav1.SchemeGroupVersion.WithKind("Status")
}

// New returns an empty object of a kind.
func (kinds) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	switch {
	case isStatus(kind):
		return new(metav1.Status), nil
	case kind == v1.WithKind("WatchEvent"):
		return new(metav1.WatchEvent), nil
	}
	obj := new(unstructured.Unstructured)
	obj.SetGroupVersionKind(kind)
	return obj, nil
}

// ObjectKinds returns the kind of an object. The error is that the object is
// not registered if it has none, as for types unknown to a scheme.
func (kinds) ObjectKinds(obj runtime.Object) ([]schema.GroupVersionKind, bool, error) {
	if obj == nil {
		return nil, false, runtime.NewMissingKindErr("no object")
	}
	kind := obj.GetObjectKind().GroupVersionKind()
	switch obj.(type) {
	case *metav1.Status:
		kind = v1.WithKind("Status")
	case *metav1.WatchEvent:
		kind = v1.WithKind("WatchEvent")
	case *metav1.DeleteOptions:
		kind = v1.WithKind("DeleteOptions")
	case runtime.Unstructured:
		if kind.Kind == "" {
			return nil, false, runtime.NewMissingKindErr("unstructured object has no kind")
		}
		if kind.Version == "" {
			return nil, false, runtime.NewMissingVersionErr("unstructured object has no version")
		}
	default:
		if kind.Empty() {
			return nil, false, runtime.NewNotRegisteredErrForKind("dynamic", kind)
		}
	}
	return []schema.GroupVersionKind{kind}, false, nil
}

// Recognizes reports that any kind will do.
func (kinds) Recognizes(schema.GroupVersionKind) bool { return true }
