package v1_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/kubernetes/typed/internal/servertest"
	"k8s.io/client-go/rest"
)

// event is one in the namespace shop, seen in an answer that gives it a version.
var (
	event   = &corev1.Event{ObjectMeta: inShop, Reason: "Opened", Count: 1}
	written = &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "till", Namespace: "shop", ResourceVersion: "8"}}
)

type eventWrite struct {
	method, path, patch string

	plain   func(typedcorev1.EventInterface, *corev1.Event) (*corev1.Event, error)
	context func(context.Context, typedcorev1.EventInterface, *corev1.Event) (*corev1.Event, error)
}

var eventWrites = map[string]eventWrite{
	"create": {
		method: "POST", path: "events",
		plain: typedcorev1.EventInterface.CreateWithEventNamespace,
		context: func(ctx context.Context, c typedcorev1.EventInterface, e *corev1.Event) (*corev1.Event, error) {
			return c.CreateWithEventNamespaceWithContext(ctx, e)
		},
	},
	"update": {
		method: "PUT", path: "events/till",
		plain: typedcorev1.EventInterface.UpdateWithEventNamespace,
		context: func(ctx context.Context, c typedcorev1.EventInterface, e *corev1.Event) (*corev1.Event, error) {
			return c.UpdateWithEventNamespaceWithContext(ctx, e)
		},
	},
	"patch": {
		method: "PATCH", path: "events/till", patch: `application/strategic-merge-patch+json {"count":2}`,
		plain: func(c typedcorev1.EventInterface, e *corev1.Event) (*corev1.Event, error) {
			return c.PatchWithEventNamespace(e, []byte(`{"count":2}`))
		},
		context: func(ctx context.Context, c typedcorev1.EventInterface, e *corev1.Event) (*corev1.Event, error) {
			return c.PatchWithEventNamespaceWithContext(ctx, e, []byte(`{"count":2}`))
		},
	},
}

func TestEventsAreWrittenToTheirOwnNamespace(t *testing.T) {
	calls := map[string]servertest.Call{}
	for verb, write := range eventWrites {
		want := servertest.Request{Method: write.method, Path: "/api/v1/namespaces/shop/" + write.path, Patch: write.patch}
		if write.patch == "" {
			want.Kind, want.Object = "v1, Kind=Event", event
		}
		for _, namespace := range []string{"", "shop"} {
			calls[verb+" by a client for namespace "+namespace] = servertest.Call{
				Do: func(_ context.Context, config *rest.Config) (any, error) {
					return write.plain(client(config).Events(namespace), event)
				},
				Want: want, Answer: written,
			}
			calls[verb+" in a context by a client for namespace "+namespace] = servertest.Call{
				Do: func(ctx context.Context, config *rest.Config) (any, error) {
					return write.context(ctx, client(config).Events(namespace), event)
				},
				Want: want, Answer: written,
			}
		}
	}
	servertest.Run(t, calls)
}

func TestEventsOfOtherNamespacesAreRefused(t *testing.T) {
	server := servertest.Start(t)
	cellar := client(server.Config("")).Events("cellar")
	for verb, write := range eventWrites {
		_, err := write.plain(cellar, event)
		wantError(t, err, "can't "+verb+` the event "till" of namespace "shop" with a client for namespace "cellar"`)
	}
	_, err := cellar.Search(scheme.Scheme, &corev1.Pod{ObjectMeta: inShop})
	wantError(t, err, `can't find the events of "till" of namespace "shop" with a client for namespace "cellar"`)
	if requests := server.Take(); len(requests) > 0 {
		t.Errorf("the server got %+v, want nothing", requests)
	}
}

func TestEventWithoutANameIsNotWrittenToTheCollection(t *testing.T) {
	server := servertest.Start(t)
	nameless := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}}
	for _, verb := range []string{"update", "patch"} {
		_, err := eventWrites[verb].plain(client(server.Config("")).Events(""), nameless)
		wantError(t, err, "name may not be empty")
	}
	if requests := server.Take(); len(requests) > 0 {
		t.Errorf("the server got %+v, want nothing", requests)
	}
}

func TestEventsAreWrittenNoMoreOnceTheContextIsDone(t *testing.T) {
	server := servertest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for verb, write := range eventWrites {
		if _, err := write.context(ctx, client(server.Config("")).Events(""), event); err == nil {
			t.Errorf("%s succeeded", verb)
		}
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one with %q", err, want)
	}
}

func TestSearchListsTheEventsOfAnObject(t *testing.T) {
	found := &corev1.EventList{Items: []corev1.Event{*event}}
	calls := map[string]servertest.Call{}
	for name, test := range map[string]struct {
		namespace       string
		object          runtime.Object
		path, wantQuery string
	}{
		"pod": {
			namespace: "shop",
			object:    &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "till", Namespace: "shop", UID: "u-1"}},
			path:      "/api/v1/namespaces/shop/events",
			wantQuery: "fieldSelector=involvedObject.name%3Dtill%2CinvolvedObject.namespace%3Dshop%2CinvolvedObject.kind%3DPod%2CinvolvedObject.uid%3Du-1",
		},
		"pod, by a client for all namespaces": {
			object:    &corev1.Pod{ObjectMeta: inShop},
			path:      "/api/v1/events",
			wantQuery: "fieldSelector=involvedObject.name%3Dtill%2CinvolvedObject.namespace%3Dshop%2CinvolvedObject.kind%3DPod",
		},
		"node": {
			object:    &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "rack"}},
			path:      "/api/v1/events",
			wantQuery: "fieldSelector=involvedObject.name%3Drack%2CinvolvedObject.namespace%3D%2CinvolvedObject.kind%3DNode",
		},
		"reference of no kind": {
			object:    &corev1.ObjectReference{Name: "till", Namespace: "shop"},
			path:      "/api/v1/events",
			wantQuery: "fieldSelector=involvedObject.name%3Dtill%2CinvolvedObject.namespace%3Dshop",
		},
	} {
		want := servertest.Request{Method: "GET", Path: test.path, Query: test.wantQuery}
		calls[name] = servertest.Call{
			Do: func(_ context.Context, config *rest.Config) (any, error) {
				return client(config).Events(test.namespace).Search(scheme.Scheme, test.object)
			},
			Want: want, Answer: found,
		}
		calls[name+", in a context"] = servertest.Call{
			Do: func(ctx context.Context, config *rest.Config) (any, error) {
				return client(config).Events(test.namespace).SearchWithContext(ctx, scheme.Scheme, test.object)
			},
			Want: want, Answer: found,
		}
	}
	servertest.Run(t, calls)
}

func TestSearchNeedsAnObjectOfAKnownKind(t *testing.T) {
	server := servertest.Start(t)
	_, err := client(server.Config("")).Events("").Search(runtime.NewScheme(), &corev1.Pod{ObjectMeta: inShop})
	wantError(t, err, "finding the events of an object")
	_, err = client(server.Config("")).Events("").Search(scheme.Scheme, nil)
	wantError(t, err, "nil object")
}

func TestFieldSelectorHasTheFieldsThatAreGivenInOneOrder(t *testing.T) {
	events := client(&rest.Config{Host: "localhost"}).Events("")
	name, namespace, kind, uid, empty := "a", "b", "c", "d", ""
	for want, given := range map[string][4]*string{
		"": {},
		"involvedObject.name=a,involvedObject.namespace=b,involvedObject.kind=c,involvedObject.uid=d": {&name, &namespace, &kind, &uid},
		"involvedObject.name=a,involvedObject.kind=":                                                  {0: &name, 2: &empty},
	} {
		selector := events.GetFieldSelector(given[0], given[1], given[2], given[3])
		if selector.String() != want {
			t.Errorf("got %s, want %s", selector, want)
		}
	}
	if label := typedcorev1.GetInvolvedObjectNameFieldLabel("v1"); label != "involvedObject.name" {
		t.Errorf("the label of the name is %s", label)
	}
}
