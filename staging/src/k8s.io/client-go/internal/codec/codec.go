// Package codec has the serializers of typed clients: JSON, protobuf, YAML and CBOR.
// Which ones there are does not depend on what else a program links.
//
// They stand in for those of apimachinery's serializer package, which convert
// between versions and apply defaults. A client does none of
// this: it sends and receives one version of an object, as it is. What a client
// nearly always does, decoding a body into an object of the kind that it asked
// for, takes one pass less for JSON and one copy less for protobuf.
package codec

import (
	"bytes"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	apijson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	apiprotobuf "k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
)

// Negotiated is a [runtime.NegotiatedSerializer] of a scheme's types. Encoders
// set kind and version of what they write; decoders clear those of what they
// read, as programs expect of typed objects.
type Negotiated struct {
	scheme *runtime.Scheme
	infos  []runtime.SerializerInfo
}

// New returns the serializers for the types of a scheme. JSON is the first, which
// makes it the one for those who do not say.
func New(scheme *runtime.Scheme) *Negotiated {
	return &Negotiated{scheme: scheme, infos: []runtime.SerializerInfo{jsonInfo(scheme), protobufInfo(scheme), yamlInfo(scheme)}}
}

// WithCBOR returns the same serializers, and one of CBOR.
func (n *Negotiated) WithCBOR() *Negotiated {
	return &Negotiated{scheme: n.scheme, infos: append(slices.Clip(n.infos), cbor.NewSerializerInfo(n.scheme, n.scheme))}
}

// SupportedMediaTypes lists the serializers.
func (n *Negotiated) SupportedMediaTypes() []runtime.SerializerInfo { return n.infos }

// EncoderForVersion returns an encoder that writes kind and version with the
// object, whatever the object says of them. It does not convert.
func (n *Negotiated) EncoderForVersion(encoder runtime.Encoder, version runtime.GroupVersioner) runtime.Encoder {
	return runtime.WithVersionEncoder{Version: version, Encoder: encoder, ObjectTyper: n.scheme}
}

// DecoderToVersion returns a decoder that leaves kind and version of the object
// empty. It does not convert.
func (n *Negotiated) DecoderToVersion(decoder runtime.Decoder, _ runtime.GroupVersioner) runtime.Decoder {
	return runtime.WithoutVersionDecoder{Decoder: decoder}
}

func jsonInfo(scheme *runtime.Scheme) runtime.SerializerInfo {
	s := &jsonSerializer{scheme: scheme}
	return runtime.SerializerInfo{
		MediaType:        runtime.ContentTypeJSON,
		MediaTypeType:    "application",
		MediaTypeSubType: "json",
		EncodesAsText:    true,
		Serializer:       s,
		StrictSerializer: &jsonSerializer{scheme: scheme, strict: true},
		StreamSerializer: &runtime.StreamSerializerInfo{
			EncodesAsText: true,
			Serializer:    s,
			Framer:        apijson.Framer,
		},
	}
}

func yamlInfo(scheme *runtime.Scheme) runtime.SerializerInfo {
	return runtime.SerializerInfo{
		MediaType:        runtime.ContentTypeYAML,
		MediaTypeType:    "application",
		MediaTypeSubType: "yaml",
		EncodesAsText:    true,
		Serializer:       yamlSerializer{&jsonSerializer{scheme: scheme}},
		StrictSerializer: yamlSerializer{&jsonSerializer{scheme: scheme, strict: true}},
	}
}

func protobufInfo(scheme *runtime.Scheme) runtime.SerializerInfo {
	s := &protobufSerializer{Serializer: apiprotobuf.NewSerializer(scheme, scheme), scheme: scheme}
	return runtime.SerializerInfo{
		MediaType:        runtime.ContentTypeProtobuf,
		MediaTypeType:    "application",
		MediaTypeSubType: "vnd.kubernetes.protobuf",
		Serializer:       s,
		StrictSerializer: s,
		StreamSerializer: &runtime.StreamSerializerInfo{
			Serializer: apiprotobuf.NewRawSerializer(scheme, scheme),
			Framer:     apiprotobuf.LengthDelimitedFramer,
		},
	}
}

// ByContent is a [runtime.Serializer] that writes JSON and reads JSON or protobuf,
// whichever it is given.
type ByContent struct {
	json     *jsonSerializer
	protobuf *protobufSerializer
}

// NewByContent returns the serializer for the types of a scheme.
func NewByContent(scheme *runtime.Scheme) *ByContent {
	return &ByContent{
		json:     &jsonSerializer{scheme: scheme},
		protobuf: &protobufSerializer{Serializer: apiprotobuf.NewSerializer(scheme, scheme), scheme: scheme},
	}
}

// Decode is that of the serializer whose format the data begins like.
func (s *ByContent) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	if bytes.HasPrefix(data, magic) {
		return s.protobuf.Decode(data, defaults, into)
	}
	return s.json.Decode(data, defaults, into)
}

// Encode writes JSON.
func (s *ByContent) Encode(object runtime.Object, w io.Writer) error { return s.json.Encode(object, w) }

// Identifier is that of JSON.
func (s *ByContent) Identifier() runtime.Identifier { return s.json.Identifier() }
