// Package offer has informers say, with the context of a list or a watch, that its
// objects may share what is the same in them: see package share.
//
// Best is that they are decoded that way. That may only be done where nobody between
// the decoder and the informer changes objects. So it takes three: the informer makes
// the offer ([With]); whoever makes the request, and knows that it hands on objects as
// they come, passes it on ([Pass]); and the client that decodes takes it ([Take]). A
// watch function that somebody wrote does not pass it on. Of its objects the client
// says at least that it has decoded them ([Decoded]). As nobody else holds on to
// those, they can be shared later, when they have come to the informer. Those of a
// client for tests may be looked at by the test meanwhile, and are left alone.
//
// The package is apart from share so that clients without informers do not link that.
package offer

import (
	"context"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Decoder decodes objects that share what is the same in them: a share.Sharer.
type Decoder interface {
	DecodeJSON(raw []byte, into any, general func(raw []byte, into any) error) error
	DecodeProtobuf(raw []byte, into any, general func(raw []byte, into any) error) error
	Once(data []byte, decode func() (runtime.Object, *schema.GroupVersionKind, error)) (runtime.Object, *schema.GroupVersionKind, error)
}

// An Offer is one for the objects of one watch.
type Offer struct {
	decoder        Decoder
	taken, decoded atomic.Bool
}

type (
	offered struct{}
	passed  struct{}
)

// With returns a context that has an offer, and the offer. Without a decoder, it is not
// to be taken, and asks whether objects are decoded ones.
func With(ctx context.Context, decoder Decoder) (context.Context, *Offer) {
	o := &Offer{decoder: decoder}
	return context.WithValue(ctx, offered{}, o), o
}

// Taken reports whether somebody took the offer, so that all objects are shared by the
// time they come. Nil is an offer that nobody took.
func (o *Offer) Taken() bool { return o != nil && o.taken.Load() }

// Decoded reports whether the objects come from a client that decoded them, and are
// nobody else's.
func (o *Offer) Decoded() bool { return o != nil && o.decoded.Load() }

// Decoded says to whom made the offer of a context that the objects are decoded ones.
func Decoded(ctx context.Context) {
	if o, ok := ctx.Value(offered{}).(*Offer); ok {
		o.decoded.Store(true)
	}
}

// Pass returns a context whose offer, if it has one, can be taken.
func Pass(ctx context.Context) context.Context {
	if o, ok := ctx.Value(offered{}).(*Offer); ok {
		return context.WithValue(ctx, passed{}, o)
	}
	return ctx
}

// Take takes the offer of a context, and returns what all objects are to be decoded
// with. It returns nil if there was none.
func Take(ctx context.Context) Decoder {
	o, ok := ctx.Value(passed{}).(*Offer)
	if !ok || o.decoder == nil {
		return nil
	}
	o.taken.Store(true)
	return o.decoder
}
