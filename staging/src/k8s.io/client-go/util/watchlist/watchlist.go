// Package watchlist decides where a list request may be made as a streaming
// list: a watch that begins with every object there is, one event each, then a
// bookmark, in place of one answer with all of them in it.
//
// A streaming list costs server and client far less memory. The protocol is
// described at
// https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
package watchlist

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/features"
)

// DoesClientNotSupportWatchListSemantics reports whether client cannot do
// streaming lists. A client says so with a method
//
//	IsWatchListSemanticsUnSupported() bool
//
// that returns true, as the fake clients do. Whatever lacks the method is
// taken to support them; the server may still refuse.
func DoesClientNotSupportWatchListSemantics(client any) bool {
	c, says := client.(interface{ IsWatchListSemanticsUnSupported() bool })
	return says && c.IsWatchListSemanticsUnSupported()
}

// PrepareWatchListOptionsFromListOptions returns the options of the watch
// whose initial events are what a list with listOptions returns, and true. It
// returns false where no such watch exists, and then the list has to be made
// as it is:
//
//   - The feature WatchListClient is disabled.
//   - A page is asked for. Events come all at once. A limit does not count
//     where the resource version is "0", since servers ignore it there.
//   - An exact resource version is asked for. Streams are only ever at least
//     as recent as one.
//   - The list is one that the server refuses anyway, and whose error the
//     caller should see.
//
// Selectors carry over. An error says that one of them cannot be parsed.
func PrepareWatchListOptionsFromListOptions(listOptions metav1.ListOptions) (metav1.ListOptions, bool, error) {
	if !features.FeatureGates().Enabled(features.WatchListClient) || !canStream(&listOptions) {
		return metav1.ListOptions{}, false, nil
	}
	if err := checkSelectors(&listOptions); err != nil {
		return metav1.ListOptions{}, false, err
	}

	sendInitialEvents := true
	listOptions.SendInitialEvents = &sendInitialEvents
	listOptions.Watch = true
	listOptions.AllowWatchBookmarks = true // the end of the initial events is a bookmark
	listOptions.ResourceVersionMatch = metav1.ResourceVersionMatchNotOlderThan
	listOptions.Limit = 0
	return listOptions, true, nil
}

// canStream reports whether a list is valid and means the same as a stream.
func canStream(list *metav1.ListOptions) bool {
	switch {
	case list.Continue != "":
		return false
	case list.Limit > 0 && list.ResourceVersion != "0":
		return false
	case list.SendInitialEvents != nil: // not for lists
		return false
	}
	switch list.ResourceVersionMatch {
	case "":
		return true
	case metav1.ResourceVersionMatchNotOlderThan:
		return list.ResourceVersion != "" // not older than what?
	default:
		return false
	}
}

func checkSelectors(list *metav1.ListOptions) error {
	if list.LabelSelector != "" {
		if _, err := labels.Parse(list.LabelSelector); err != nil {
			return fmt.Errorf("label selector %q: %w", list.LabelSelector, err)
		}
	}
	if list.FieldSelector != "" {
		if _, err := fields.ParseSelector(list.FieldSelector); err != nil {
			return fmt.Errorf("field selector %q: %w", list.FieldSelector, err)
		}
	}
	return nil
}
