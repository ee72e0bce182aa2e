package pager

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// EachListItem calls fn for every item, in order and one at a time, while it
// fetches later pages in the background. If fn returns an error, that is the
// end of it, and EachListItem returns the error. Otherwise it returns the
// first error of PageFn, after fn was called for the items of the pages
// before, or the error of ctx.
//
// A continue token that has expired is such an error too
// ([k8s.io/apimachinery/pkg/api/errors.IsResourceExpired]): since fn has seen
// some items, there is no starting over behind its back.
//
// An item points into its page's array. If fn keeps some items for long, use
// EachListItemWithAlloc.
func (p *ListPager) EachListItem(ctx context.Context, options metav1.ListOptions, fn func(obj runtime.Object) error) error {
	return p.each(ctx, options, func(page runtime.Object) error { return meta.EachListItem(page, fn) })
}

// EachListItemWithAlloc is EachListItem for callers that keep some items: each
// is on its own, and keeps no page alive.
func (p *ListPager) EachListItemWithAlloc(ctx context.Context, options metav1.ListOptions, fn func(obj runtime.Object) error) error {
	return p.each(ctx, options, func(page runtime.Object) error { return meta.EachListItemWithAlloc(page, fn) })
}

// each calls visit for every page.
func (p *ListPager) each(ctx context.Context, options metav1.ListOptions, visit func(page runtime.Object) error) error {
	if p.PageBufferSize < 0 {
		return fmt.Errorf("ListPager.PageBufferSize must be >= 0, got %d", p.PageBufferSize)
	}
	pages := p.open(options)
	first, err := pages.next(ctx)
	if err != nil {
		return err
	}
	if pages.last { // as with most lists: nothing to do in the background
		return visit(first.obj)
	}

	prefetching, stop := context.WithCancel(ctx)
	defer stop()
	ahead := make(chan fetched, p.PageBufferSize)
	go pages.prefetch(prefetching, ahead)

	for next := (fetched{obj: first.obj}); ; {
		if err := visit(next.obj); err != nil || next.last {
			return err
		}
		next.obj = nil // garbage already, while waiting for the next one
		select {
		case next = <-ahead:
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if next.err != nil {
			return next.err
		}
	}
}

// fetched is what came of one fetch.
type fetched struct {
	obj  runtime.Object
	last bool
	err  error
}

// prefetch sends what comes of the fetches up to the last page or the first
// error, unless ctx ends before.
func (p *pages) prefetch(ctx context.Context, ahead chan<- fetched) {
	for {
		page, err := p.next(ctx)
		select {
		case ahead <- fetched{page.obj, p.last, err}:
		case <-ctx.Done():
			return
		}
		if err != nil || p.last {
			return
		}
	}
}
