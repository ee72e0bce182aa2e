// Package groupscheme gives each typed client a scheme of its own group. A
// program that imports one group's client links, and registers at run time, the
// types of that group and of its sub-resources, and nothing else.
package groupscheme

import (
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/features"
	"k8s.io/client-go/internal/codec"
)

// Lazy is a scheme that is built when it is first asked for. It is a variable of
// a client's package, so it is written as a composite literal that needs no code
// at start-up, which the linker can drop with the client.
//
// All methods may be called by many goroutines.
type Lazy struct {
	// AddTo registers the group's types and those of its sub-resources.
	AddTo func(*runtime.Scheme) error

	once       sync.Once
	scheme     *runtime.Scheme
	serializer *codec.Negotiated

	parametersOnce sync.Once
	parameters     runtime.ParameterCodec
}

// Scheme returns the scheme: the group's types, and those that belong to every
// group, such as Status.
func (l *Lazy) Scheme() *runtime.Scheme {
	l.once.Do(l.build)
	return l.scheme
}

// Serializer returns what encodes and decodes the scheme's types: in CBOR, too, if the
// feature gate allows that by the time the client is made.
func (l *Lazy) Serializer() runtime.NegotiatedSerializer {
	l.once.Do(l.build)
	if features.FeatureGates().Enabled(features.ClientsAllowCBOR) {
		return l.serializer.WithCBOR()
	}
	return l.serializer
}

// ParameterCodec returns the codec that turns options into query parameters.
// It does not need the scheme for the options that all groups share.
func (l *Lazy) ParameterCodec() runtime.ParameterCodec {
	return (*parameterCodec)(l)
}

func (l *Lazy) build() {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	// Registering the types of k8s.io/api fails only if two packages claim the
	// same kind, which is a fault of this library that no caller can mend.
	if err := l.AddTo(scheme); err != nil {
		panic(fmt.Sprintf("registering the types of a typed client: %v", err))
	}
	l.scheme = scheme
	l.serializer = codec.New(scheme)
}

// general returns the codec that knows all of the scheme's types, such as the
// options of logs and of proxies.
func (l *Lazy) general() runtime.ParameterCodec {
	l.parametersOnce.Do(func() { l.parameters = runtime.NewParameterCodec(l.Scheme()) })
	return l.parameters
}
