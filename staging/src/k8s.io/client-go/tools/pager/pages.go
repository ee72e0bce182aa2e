package pager

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// A page is what a ListPageFunc returned, and a way to its metadata.
type page struct {
	obj  runtime.Object
	meta metav1.ListInterface
}

// pages is a position in a paged list. It does not hold on to pages.
type pages struct {
	fetch   ListPageFunc
	options metav1.ListOptions // of the next page, or of the one that failed
	last    bool               // the last page was fetched
}

func (p *ListPager) open(options metav1.ListOptions) *pages {
	if options.Limit == 0 {
		options.Limit = p.PageSize
	}
	return &pages{fetch: p.PageFn, options: options}
}

// next fetches a page.
func (p *pages) next(ctx context.Context) (page, error) {
	if err := ctx.Err(); err != nil {
		return page{}, err
	}
	obj, err := p.fetch(ctx, p.options)
	if err != nil {
		return page{}, err
	}
	m, err := meta.ListAccessor(obj)
	if err != nil {
		return page{}, fmt.Errorf("returned object must be a list: %w", err)
	}
	p.options.Continue = m.GetContinue()
	p.last = p.options.Continue == ""
	// The token implies the version, and servers refuse to have it from both.
	p.options.ResourceVersion, p.options.ResourceVersionMatch = "", ""
	return page{obj, m}, nil
}
