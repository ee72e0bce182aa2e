package informer

import (
	"fmt"

	"k8s.io/client-go/internal/share"
	"k8s.io/client-go/tools/cache"
)

// A sink is where a reflector puts what it gets from the server. Here, and nowhere else,
// objects are converted to their type.
type sink[T Object] struct{ informer *Informer[T] }

var (
	_ cache.ReflectorStore    = sink[Object]{}
	_ cache.TransformingStore = sink[Object]{}
)

func typed[T Object](obj any) (T, error) {
	t, ok := obj.(T)
	if !ok {
		return t, fmt.Errorf("got a %T from the server, want a %T", obj, t)
	}
	return t, nil
}

func (s sink[T]) Add(obj any) error { return s.Update(obj) }

func (s sink[T]) Update(obj any) error {
	t, err := typed[T](obj)
	if err != nil {
		return err
	}
	return s.informer.set(t)
}

func (s sink[T]) Delete(obj any) error {
	t, err := typed[T](obj)
	if err != nil {
		return err
	}
	s.informer.delete(t)
	return nil
}

func (s sink[T]) Replace(list []any, _ string) error {
	objects := make([]T, 0, len(list))
	for _, obj := range list {
		t, err := typed[T](obj)
		if err != nil {
			return err
		}
		objects = append(objects, t)
	}
	return s.informer.replace(objects)
}

func (sink[T]) Resync() error { return nil }

// Transformer has a stream's objects be transformed before all of them are there.
func (s sink[T]) Transformer() cache.TransformFunc {
	transform := s.informer.transform
	if transform == nil {
		return nil
	}
	return func(obj any) (any, error) {
		t, err := typed[T](obj)
		if err != nil {
			return nil, err
		}
		return transform(t)
	}
}

// Sharer has objects share what is the same in them, as soon as they are decoded. Those
// that are transformed are shared after that.
func (s sink[T]) Sharer() *share.Sharer {
	if s.informer.transform != nil {
		return nil
	}
	return &s.informer.sharer
}
