package rest

import (
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
)

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
