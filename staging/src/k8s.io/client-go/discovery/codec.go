package discovery

import (
	"io"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/codec"
)

// metaCodec is what the client has a codec for at all, as it decodes its own
// documents: the statuses of failed requests, and the objects that a program
// decodes when it borrows the RESTClient. These it hands in, so they need not be
// registered: the scheme has the types of package meta only.
//
// It is built when there is something to decode. Nothing at package level refers
// to how, so that a program which never discovers anything does not link it.
var metaCodec struct {
	once sync.Once
	*codec.ByContent
}

type lazyCodec struct{}

func (lazyCodec) codec() *codec.ByContent {
	metaCodec.once.Do(func() {
		scheme := runtime.NewScheme()
		metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
		metaCodec.ByContent = codec.NewByContent(scheme)
	})
	return metaCodec.ByContent
}

func (c lazyCodec) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	return c.codec().Decode(data, defaults, into)
}

func (c lazyCodec) Encode(obj runtime.Object, w io.Writer) error { return c.codec().Encode(obj, w) }

func (lazyCodec) Identifier() runtime.Identifier { return "discovery" }

// anyMediaType returns a serializer that looks at the data rather than at its
// label: proxies are known to get the label wrong.
func anyMediaType() runtime.NegotiatedSerializer {
	return runtime.NewSimpleNegotiatedSerializer(runtime.SerializerInfo{Serializer: lazyCodec{}})
}
