// Package pager lists what may be too much for one answer, page by page.
//
// A server that is asked for a list with a limit answers with so many items
// and a token for the rest. A [ListPager] follows the tokens. With
// [ListPager.EachListItem] the pages stream by, a few of them fetched ahead,
// and each is garbage once its items were seen. [ListPager.List] puts them
// together again, for callers that need the whole list but would spare the
// server:
//
//	pods := pager.New(func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
//		return client.CoreV1().Pods("").List(ctx, opts)
//	})
//	err := pods.EachListItem(ctx, metav1.ListOptions{}, func(obj runtime.Object) error {
//		fmt.Println(obj.(*corev1.Pod).Name)
//		return nil
//	})
//
// All pages show the state of the first one, so together they are one
// consistent list, unless the server forgets that state before the last page
// is fetched (after minutes), and says that the token expired.
package pager

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	defaultPageSize   = 500
	defaultPageBuffer = 10

	// growLimit bounds how many items room is made for on a server's word.
	growLimit = 100_000
)

// ListPageFunc fetches one list, or one page of a list, as opts says. A page
// that is not the last one says so with a continue token.
type ListPageFunc func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error)

// SimplePageFunc makes a ListPageFunc of a function that takes no context. Its
// requests cannot be cancelled: where a list is given up, the one under way
// goes on in the background.
func SimplePageFunc(fn func(opts metav1.ListOptions) (runtime.Object, error)) ListPageFunc {
	return func(_ context.Context, opts metav1.ListOptions) (runtime.Object, error) { return fn(opts) }
}

// A ListPager lists in pages. Its methods may be called at the same time, if
// PageFn may.
type ListPager struct {
	// PageSize is the most items that a page should have. Options with a
	// Limit of their own override it. 0 leaves it to the server, which then
	// usually sends all there is.
	PageSize int64

	// PageFn fetches a page. It has to respect Limit and Continue.
	PageFn ListPageFunc

	// FullListIfExpired makes List and ListWithAlloc ask for everything at
	// once, without a limit, where a continue token has expired.
	FullListIfExpired bool

	// PageBufferSize is how many pages EachListItem and EachListItemWithAlloc
	// fetch ahead of the one whose items are being seen, besides the one that
	// is on its way. It cannot be negative.
	PageBufferSize int32
}

// New returns a pager for pages of 500 items that fn fetches, with up to 10
// pages fetched ahead, and a full list as the last resort.
func New(fn ListPageFunc) *ListPager {
	return &ListPager{
		PageSize:          defaultPageSize,
		PageFn:            fn,
		FullListIfExpired: true,
		PageBufferSize:    defaultPageBuffer,
	}
}

// List returns the whole list, and whether it came in more than one page. If
// one page is all, List returns it as it came, of its own type. Otherwise the
// list is a [metainternalversion.List], with the resource version of the
// first page; use [meta.ExtractList] or [meta.EachListItem] to read either.
//
// If a continue token has expired (and FullListIfExpired is set), List starts
// over without a limit, and returns what PageFn does. Other errors of PageFn
// are returned unchanged, and so is the error of ctx.
//
// Items of several pages point into the pages' arrays. One item that is kept
// keeps its page; if that is a concern, use ListWithAlloc.
func (p *ListPager) List(ctx context.Context, options metav1.ListOptions) (runtime.Object, bool, error) {
	return p.list(ctx, options, meta.EachListItem)
}

// ListWithAlloc is List for callers that keep some items longer than others:
// every item of several pages is on its own.
func (p *ListPager) ListWithAlloc(ctx context.Context, options metav1.ListOptions) (runtime.Object, bool, error) {
	return p.list(ctx, options, meta.EachListItemWithAlloc)
}

// eachItem is one of meta's functions that visit the items of a list.
type eachItem func(list runtime.Object, visit func(runtime.Object) error) error

func (p *ListPager) list(ctx context.Context, options metav1.ListOptions, each eachItem) (runtime.Object, bool, error) {
	var whole *metainternalversion.List // nil until it is known that there is a second page
	pages := p.open(options)
	for {
		page, err := pages.next(ctx)
		switch {
		case err != nil && p.FullListIfExpired && pages.options.Continue != "" && errors.IsResourceExpired(err):
			options.Limit, options.Continue = 0, ""
			full, err := p.PageFn(ctx, options)
			return full, whole != nil, err
		case err != nil:
			return nil, whole != nil, err
		case whole == nil && pages.last:
			return page.obj, false, nil
		case whole == nil:
			whole = &metainternalversion.List{}
			whole.ResourceVersion = page.meta.GetResourceVersion()
		}

		makeRoom(whole, page)
		err = each(page.obj, func(item runtime.Object) error {
			whole.Items = append(whole.Items, item)
			return nil
		})
		if err != nil || pages.last {
			return whole, true, err
		}
	}
}

// makeRoom makes room in list for the items of page, and for those that the
// server says are still to come.
func makeRoom(list *metainternalversion.List, page page) {
	more := int64(meta.LenList(page.obj))
	if remaining := page.meta.GetRemainingItemCount(); remaining != nil {
		more += max(0, *remaining)
	}
	list.Items = slices.Grow(list.Items, int(min(more, growLimit)))
}
