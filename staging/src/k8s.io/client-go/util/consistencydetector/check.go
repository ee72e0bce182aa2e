package consistencydetector

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
)

// RetrieveItemsFunc returns the items that are to be checked: objects, or
// pointers to them.
type RetrieveItemsFunc[U any] func() []U

// ListFunc lists from the API server.
type ListFunc[T runtime.Object] func(ctx context.Context, options metav1.ListOptions) (T, error)

// TransformFunc does to a listed item what was done to the retrieved ones.
type TransformFunc func(any) (any, error)

// retryPeriod is the time between two attempts to list.
const retryPeriod = time.Second

// CheckDataConsistency lists what there was at lastSyncedResourceVersion, and
// panics unless those are the retrieved items. The order does not count.
//
// The list has the selectors and the limit of listOptions, the limit unless the
// retrieved items are more, at version "0". Each of its items goes through
// listItemTransformFunc, unless that is nil; the function may change the item
// it is given. The identity tells in logs and in the panic what was checked.
//
// A list that fails is tried again every second until ctx ends. There is no
// check, and no panic, if it does not succeed by then, or if the version is
// one that cannot be listed: none, "0", one that the server has forgotten. Nor
// is there one for the rest of a list, with a continue token.
//
// Whether the check is enabled is for the caller to ask.
func CheckDataConsistency[T runtime.Object, U any](ctx context.Context, identity string, lastSyncedResourceVersion string, listFn ListFunc[T], listItemTransformFunc TransformFunc, listOptions metav1.ListOptions, retrieveItemsFn RetrieveItemsFunc[U]) {
	if lastSyncedResourceVersion == "" || lastSyncedResourceVersion == "0" || listOptions.Continue != "" {
		return
	}
	logger := klog.FromContext(ctx)
	logger.Info("The data consistency check is enabled and makes a list request of its own", "identity", identity)

	items := retrieveItemsFn()
	if listOptions.ResourceVersion == "0" && int64(len(items)) > listOptions.Limit {
		// The server's watch cache has answered, which has no pages.
		listOptions.Limit = 0
	}
	list, err := listAt(ctx, lastSyncedResourceVersion, listOptions, listFn)
	if err != nil {
		logger.Error(err, "The data consistency check was not made", "identity", identity, "resourceVersion", lastSyncedResourceVersion)
		return
	}
	want, err := listed(list, listItemTransformFunc)
	if err == nil {
		var got inventory
		if got, err = retrieved(items); err == nil {
			err = want.compare(got)
		}
	}
	if err != nil {
		logger.Error(err, "Data inconsistency detected", "identity", identity, "resourceVersion", lastSyncedResourceVersion)
		panic(fmt.Sprintf("data inconsistency detected for %s, panicking!: %v", identity, err))
	}
}

// listAt lists as of a resource version, as often as it takes.
func listAt[T runtime.Object](ctx context.Context, resourceVersion string, options metav1.ListOptions, list ListFunc[T]) (runtime.Object, error) {
	options.ResourceVersion = resourceVersion
	options.ResourceVersionMatch = metav1.ResourceVersionMatchExact
	options.Watch, options.AllowWatchBookmarks, options.SendInitialEvents = false, false, nil

	retry := time.NewTicker(retryPeriod)
	defer retry.Stop()
	for {
		all, err := list(ctx, options)
		if err == nil {
			return all, nil
		}
		if errors.IsResourceExpired(err) || errors.IsGone(err) {
			return nil, err
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w; the last error of the list: %w", context.Cause(ctx), err)
		}
	}
}

func listed(list runtime.Object, transform TransformFunc) (inventory, error) {
	all := inventory{}
	err := meta.EachListItem(list, func(item runtime.Object) error {
		var transformed any = item
		if transform != nil {
			var err error
			if transformed, err = transform(item); err != nil {
				return fmt.Errorf("transforming a listed item: %w", err)
			}
		}
		return all.add(transformed)
	})
	return all, err
}

func retrieved[U any](items []U) (inventory, error) {
	all := make(inventory, len(items))
	for _, item := range items {
		if err := all.add(item); err != nil {
			return nil, err
		}
	}
	return all, nil
}
