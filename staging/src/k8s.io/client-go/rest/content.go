package rest

import (
	"mime"
	"strings"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/client-go/features"
)

const (
	mediaJSON     = runtime.ContentTypeJSON
	mediaProtobuf = runtime.ContentTypeProtobuf
	mediaCBOR     = runtime.ContentTypeCBOR
)

// ClientContentConfig says which formats a RESTClient speaks.
type ClientContentConfig struct {
	// AcceptContentTypes are the formats to ask for, as in an Accept header. The
	// default is ContentType, and anything else if the server has it not.
	AcceptContentTypes string
	// ContentType is the format of objects that are sent. The default is
	// "application/json".
	ContentType string
	// GroupVersion is the API that the client is for, and the version of
	// VersionedParams.
	GroupVersion schema.GroupVersion
	// Negotiator encodes and decodes the formats.
	Negotiator runtime.ClientNegotiator
}

// content is how a client encodes what it sends, and what it asks for.
type content struct {
	groupVersion schema.GroupVersion
	negotiator   runtime.ClientNegotiator

	preferred formats
	// unconfigured says that nobody chose the preferred formats, so that requests may
	// use protobuf if their caller knows that the server speaks it.
	unconfigured bool
	// fallback is for servers that turned out not to speak CBOR.
	fallback    formats
	cborRefused atomic.Bool
}

type formats struct {
	contentType string
	accept      []string // the value of the Accept header, shared by all requests
}

// The formats that nearly all clients use.
var (
	jsonFormats     = formats{mediaJSON, []string{mediaJSON + anything}}
	protobufFormats = formats{mediaProtobuf, []string{mediaProtobuf + "," + mediaJSON}}
)

const anything = ", */*"

func newContent(config ClientContentConfig) *content {
	c := &content{
		groupVersion: config.GroupVersion,
		negotiator:   config.Negotiator,
		unconfigured: config.ContentType == "" && config.AcceptContentTypes == "",
	}
	contentType, accept := config.ContentType, config.AcceptContentTypes
	gates := features.FeatureGates()
	allowCBOR := gates.Enabled(features.ClientsAllowCBOR)
	if !allowCBOR {
		accept = withoutCBOR(accept)
		if contentType == mediaCBOR {
			contentType = mediaJSON
		}
	}
	if contentType == "" {
		contentType = mediaJSON
		if allowCBOR && gates.Enabled(features.ClientsPreferCBOR) && speaks(config.Negotiator, mediaCBOR) {
			contentType = mediaCBOR
		}
	}
	c.preferred = newFormats(contentType, accept)
	if contentType == mediaCBOR {
		c.fallback = newFormats(mediaJSON, accept)
	}
	return c
}

func newFormats(contentType, accept string) formats {
	if accept != "" {
		return formats{contentType, []string{accept}}
	}
	if contentType == mediaJSON {
		return jsonFormats
	}
	return formats{contentType, []string{contentType + anything}}
}

// current returns the formats for the next request.
func (c *content) current() *formats {
	if c.cborRefused.Load() {
		return &c.fallback
	}
	return &c.preferred
}

// refused notes that the server does not take what was sent as contentType.
func (c *content) refused(contentType string) {
	if contentType == mediaCBOR && c.preferred.contentType == mediaCBOR {
		c.cborRefused.Store(true)
	}
}

// withoutCBOR replaces CBOR by JSON in an Accept header, with the same preference.
func withoutCBOR(accept string) string {
	if !strings.Contains(accept, mediaCBOR) {
		return accept
	}
	clauses := strings.Split(accept, ",")
	for i, clause := range clauses {
		mediaType, params, err := mime.ParseMediaType(clause)
		if err == nil && mediaType == mediaCBOR {
			clauses[i] = mime.FormatMediaType(mediaJSON, params)
		}
	}
	return strings.Join(clauses, ",")
}

func speaks(n runtime.ClientNegotiator, contentType string) bool {
	if n == nil {
		return false
	}
	_, err := n.Encoder(contentType, nil)
	return err == nil
}

// CodecFactoryForGeneratedClient returns codecs, with CBOR added if the feature
// ClientsAllowCBOR is enabled. Codecs must have been made for scheme. It is for clients made by client-gen.
func CodecFactoryForGeneratedClient(scheme *runtime.Scheme, codecs serializer.CodecFactory) serializer.CodecFactory {
	if !features.FeatureGates().Enabled(features.ClientsAllowCBOR) {
		return codecs
	}
	return serializer.NewCodecFactory(scheme, serializer.WithSerializer(cbor.NewSerializerInfo))
}

// cachingNegotiator remembers encoders and decoders, which cost a look through all formats
// to find. It must only be put around a negotiator that does not look at the parameters of a media
// type. It remembers those that were found, and so no more than there are formats.
type cachingNegotiator struct {
	runtime.ClientNegotiator
	encoders remembered[runtime.Encoder]
	decoders remembered[runtime.Decoder]
}

func (n *cachingNegotiator) Encoder(mediaType string, params map[string]string) (runtime.Encoder, error) {
	return n.encoders.get(mediaType, params, n.ClientNegotiator.Encoder)
}

func (n *cachingNegotiator) Decoder(mediaType string, params map[string]string) (runtime.Decoder, error) {
	return n.decoders.get(mediaType, params, n.ClientNegotiator.Decoder)
}

// remembered is a list of what was found: there are one or two entries.
type remembered[T any] struct {
	newest atomic.Pointer[entry[T]]
}

type entry[T any] struct {
	mediaType string
	value     T
	older     *entry[T]
}

func (m *remembered[T]) get(mediaType string, params map[string]string, find func(string, map[string]string) (T, error)) (T, error) {
	newest := m.newest.Load()
	for e := newest; e != nil; e = e.older {
		if e.mediaType == mediaType {
			return e.value, nil
		}
	}
	value, err := find(mediaType, params)
	if err == nil {
		// Where somebody else was faster, it is found and remembered next time.
		m.newest.CompareAndSwap(newest, &entry[T]{mediaType, value, newest})
	}
	return value, err
}
