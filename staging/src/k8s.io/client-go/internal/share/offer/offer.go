// Package offer has informers say, with the context of a watch, that its objects may
// be decoded sharing what is the same in them: see package share.
//
// That may only be done where nobody between the decoder and the informer changes
// objects. So it takes three: the informer makes the offer ([With]); whoever makes the
// request, and knows that it hands on objects as they come, passes it on ([Pass]); and
// the client that decodes takes it ([Take]). A watch function that somebody wrote does
// not pass it on, and its objects are shared later, when they are the informer's.
//
// The package is apart from share so that clients without informers do not link that.
package offer

import (
	"context"
	"sync/atomic"
)

// A Decoder decodes objects that share what is the same in them: a share.Sharer.
type Decoder interface {
	DecodeJSON(raw []byte, into any, general func(raw []byte, into any) error) error
	DecodeProtobuf(raw []byte, into any, general func(raw []byte, into any) error) error
}

// An Offer is one for the objects of one watch.
type Offer struct {
	decoder Decoder
	taken   atomic.Bool
}

type (
	offered struct{}
	passed  struct{}
)

// With returns a context that has an offer, and the offer.
func With(ctx context.Context, decoder Decoder) (context.Context, *Offer) {
	o := &Offer{decoder: decoder}
	return context.WithValue(ctx, offered{}, o), o
}

// Taken reports whether somebody took the offer, so that all objects are shared by the
// time they come. Nil is an offer that nobody took.
func (o *Offer) Taken() bool { return o != nil && o.taken.Load() }

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
	if !ok {
		return nil
	}
	o.taken.Store(true)
	return o.decoder
}
