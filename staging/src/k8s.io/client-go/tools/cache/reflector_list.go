package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/internal/share/offer"
	"k8s.io/client-go/tools/pager"
)

// list puts what is listed into the store.
func (r *Reflector) list(ctx context.Context) error {
	start := r.clock.Now()
	ctx, made := r.offer(ctx)
	list, err := r.fetch(ctx)
	if err != nil && (isExpired(err) || isTooNew(err)) {
		// The server has forgotten the version, or, after it was restored
		// from a backup, has not come to it yet. Ask for what there is now.
		r.setExpired(true)
		list, err = r.fetch(ctx)
	}
	if err != nil {
		return fmt.Errorf("failed to list %v: %w", r.typeDescription, err)
	}
	r.setExpired(false)
	m, err := meta.ListAccessor(list)
	if err != nil {
		return fmt.Errorf("unable to understand list result %T: %w", list, err)
	}
	// The items of a list lie side by side in memory. They are copied out, or a
	// single one that stays in the store would keep all of them.
	objects, err := meta.ExtractListWithAlloc(list)
	if err != nil {
		return fmt.Errorf("unable to understand list result %T: %w", list, err)
	}
	items := make([]any, len(objects))
	for i, object := range objects {
		items[i] = object
	}
	r.metrics.listed(r.clock.Since(start), len(items))
	version := m.GetResourceVersion()
	if err := r.replace(made, items, version); err != nil {
		return fmt.Errorf("unable to sync list result: %w", err)
	}
	r.setVersion(version)
	return nil
}

// replace puts the items of a list into the store.
func (r *Reflector) replace(made *offer.Offer, items []any, version string) error {
	store, ok := r.prepared()
	if !ok {
		return r.store.Replace(items, version)
	}
	for i, item := range items {
		obj, err := prepare(store, made, item)
		if err != nil {
			return err
		}
		items[i] = store.Known(obj)
	}
	return store.Replace(items, version)
}

// fetch lists once.
func (r *Reflector) fetch(ctx context.Context) (runtime.Object, error) {
	options := metav1.ListOptions{ResourceVersion: r.listVersion()}
	lister := pager.New(r.source.ListWithContext)
	switch {
	case r.wholeLists:
		lister.PageSize = 0
	case r.WatchListPageSize != 0:
		lister.PageSize = r.WatchListPageSize
	case r.pages:
		// The default size: the server does not answer from memory, and so
		// pages are in order for any version.
	case options.ResourceVersion != "" && options.ResourceVersion != "0":
		// Pages come from the database, a whole list of a known version from
		// memory.
		lister.PageSize = 0
	}
	list, paginated, err := lister.ListWithAlloc(ctx, options)
	if err == nil && options.ResourceVersion == "0" && paginated {
		r.pages = true
	}
	return list, err
}

// listVersion returns which version to list: any at first, then one that is not
// older than the store, or the latest if the server does not know that.
func (r *Reflector) listVersion() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch {
	case r.expired:
		return ""
	case r.version == "":
		return "0"
	}
	return r.version
}

// isTooNew tells whether a resource version is in the server's future.
func isTooNew(err error) bool {
	if apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
		return true
	}
	// Servers before 1.18.6 only say so in words, and before 1.17.3 only in the
	// message.
	if !apierrors.IsTimeout(err) {
		return false
	}
	const words = "Too large resource version"
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil {
		for _, cause := range status.Status().Details.Causes {
			if strings.Contains(cause.Message, words) {
				return true
			}
		}
	}
	return strings.Contains(err.Error(), words)
}
