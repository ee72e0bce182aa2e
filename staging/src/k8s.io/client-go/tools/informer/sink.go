package informer

import (
	"errors"
	"fmt"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/internal/share"
	"k8s.io/client-go/tools/cache"
)

// A sink is where a reflector puts what it gets from the server, after it has
// transformed it. Here, and nowhere else, objects are converted to their type.
type sink[T Object] struct{ informer *Informer[T] }

var (
	_ cache.ReflectorStore    = sink[Object]{}
	_ cache.TransformingStore = sink[Object]{}
)

func typed[T Object](obj any) (T, error) {
	t, ok := obj.(T)
	if f, isFailed := obj.(failed); isFailed {
		return t, f
	}
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
	s.informer.set(t)
	return nil
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
		if errors.As(err, &failed{}) {
			utilruntime.HandleErrorWithContext(s.informer.ctx, err, "Passing over an object", "informer", s.informer.name)
			continue
		}
		if err != nil {
			return err
		}
		objects = append(objects, t)
	}
	s.informer.replace(objects)
	return nil
}

func (sink[T]) Resync() error { return nil }

// Known returns obj: the informer finds out itself what did not change.
func (sink[T]) Known(obj any) any { return obj }

// Sharer has objects share what is the same in them.
func (s sink[T]) Sharer() *share.Sharer { return &s.informer.sharer }

// Transformer has objects be transformed as soon as they are there.
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
		transformed, err := transform(t)
		if err != nil {
			// The others of a list go on.
			return failed{fmt.Errorf("transforming %s: %w", cache.MetaObjectToName(t), err)}, nil
		}
		return transformed, nil
	}
}

// failed stands for an object that could not be transformed.
type failed struct{ error }
