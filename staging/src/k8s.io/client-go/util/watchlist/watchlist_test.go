package watchlist_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/features"
	"k8s.io/client-go/util/watchlist"
)

type gates map[features.Feature]bool

func (g gates) Enabled(f features.Feature) bool { return g[f] }

func enable(t *testing.T, enabled bool) {
	before := features.FeatureGates()
	features.ReplaceFeatureGates(gates{features.WatchListClient: enabled})
	t.Cleanup(func() { features.ReplaceFeatureGates(before) })
}

// stream returns the options of a streaming list.
func stream(resourceVersion string) metav1.ListOptions {
	yes := true
	return metav1.ListOptions{
		ResourceVersion:      resourceVersion,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		Watch:                true,
		AllowWatchBookmarks:  true,
		SendInitialEvents:    &yes,
	}
}

const (
	exact        = metav1.ResourceVersionMatchExact
	notOlderThan = metav1.ResourceVersionMatchNotOlderThan
)

func TestListsThatAreStreamed(t *testing.T) {
	enable(t, true)
	timeout := int64(5)
	selecting := stream("")
	selecting.LabelSelector, selecting.FieldSelector, selecting.TimeoutSeconds = "app=web", "metadata.name=web", &timeout
	for name, c := range map[string]struct{ list, want metav1.ListOptions }{
		"of what is there now":        {metav1.ListOptions{}, stream("")},
		"of what is there somewhere":  {metav1.ListOptions{ResourceVersion: "0"}, stream("0")},
		"at a version":                {metav1.ListOptions{ResourceVersion: "5"}, stream("5")},
		"not older than a version":    {metav1.ListOptions{ResourceVersion: "5", ResourceVersionMatch: notOlderThan}, stream("5")},
		"with a limit without effect": {metav1.ListOptions{ResourceVersion: "0", Limit: 500}, stream("0")},
		"both of these": {
			metav1.ListOptions{ResourceVersion: "0", ResourceVersionMatch: notOlderThan, Limit: 500}, stream("0")},
		"with selectors": {
			metav1.ListOptions{LabelSelector: "app=web", FieldSelector: "metadata.name=web", TimeoutSeconds: &timeout}, selecting},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, err := watchlist.PrepareWatchListOptionsFromListOptions(c.list)
			if !ok || err != nil {
				t.Fatalf("got %t and error %v", ok, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}

func TestListsThatAreNotStreamed(t *testing.T) {
	enable(t, true)
	no := false
	for name, list := range map[string]metav1.ListOptions{
		"a first page":               {Limit: 5},
		"a first page at a version":  {Limit: 5, ResourceVersion: "7"},
		"a later page":               {Limit: 5, Continue: "token"},
		"the rest":                   {Continue: "token"},
		"a later page of a cache":    {Limit: 5, Continue: "token", ResourceVersion: "0"},
		"an exact version":           {ResourceVersion: "5", ResourceVersionMatch: exact},
		"an impossible version":      {ResourceVersion: "0", ResourceVersionMatch: exact},
		"not older than nothing":     {ResourceVersionMatch: notOlderThan},
		"an unknown match":           {ResourceVersion: "5", ResourceVersionMatch: "NewerThan"},
		"a list with initial events": {SendInitialEvents: &no},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, err := watchlist.PrepareWatchListOptionsFromListOptions(list)
			if ok || err != nil {
				t.Errorf("got %t and error %v", ok, err)
			}
			if diff := cmp.Diff(metav1.ListOptions{}, got); diff != "" {
				t.Errorf("options were left: %s", diff)
			}
		})
	}
}

func TestSelectorsThatCannotBeParsedAreErrors(t *testing.T) {
	enable(t, true)
	for _, list := range []metav1.ListOptions{{LabelSelector: "!!"}, {FieldSelector: "name"}} {
		if _, ok, err := watchlist.PrepareWatchListOptionsFromListOptions(list); ok || err == nil {
			t.Errorf("%+v: got %t and error %v", list, ok, err)
		}
	}
}

func TestNothingIsStreamedWithoutTheFeature(t *testing.T) {
	enable(t, false)
	if _, ok, err := watchlist.PrepareWatchListOptionsFromListOptions(metav1.ListOptions{}); ok || err != nil {
		t.Errorf("got %t and error %v", ok, err)
	}
}

type client bool

func (c client) IsWatchListSemanticsUnSupported() bool { return bool(c) }

func TestOnlyClientsThatSaySoDoNotStream(t *testing.T) {
	for _, c := range []struct {
		client any
		want   bool
	}{{client(true), true}, {client(false), false}, {struct{}{}, false}, {nil, false}} {
		if got := watchlist.DoesClientNotSupportWatchListSemantics(c.client); got != c.want {
			t.Errorf("%#v: got %t", c.client, got)
		}
	}
}

func ExamplePrepareWatchListOptionsFromListOptions() {
	list := metav1.ListOptions{ResourceVersion: "0", Limit: 500}
	if watch, ok, err := watchlist.PrepareWatchListOptionsFromListOptions(list); err == nil && ok {
		fmt.Println("watch, with the initial events:", *watch.SendInitialEvents)
	} else {
		fmt.Println("list, in pages of", list.Limit)
	}
	// Output: watch, with the initial events: true
}
