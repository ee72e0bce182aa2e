package discovery_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	restclient "k8s.io/client-go/rest"
)

// names writes lists as "version: name, name".
func names(lists []*metav1.APIResourceList) []string {
	var lines []string
	for _, list := range lists {
		var rs []string
		for _, r := range list.APIResources {
			rs = append(rs, r.Name)
		}
		lines = append(lines, list.GroupVersion+": "+strings.Join(rs, ", "))
	}
	return lines
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestAggregatedDiscoveryTakesTwoRequests(t *testing.T) {
	for _, contentType := range []string{
		v2,
		v2beta1,
		"application/json; charset=utf-8; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io",
	} {
		s := newServer(t, older(), newer(contentType))
		groups, lists, err := s.client(t).ServerGroupsAndResources()
		var failed *discovery.ErrGroupDiscoveryFailed
		if !errors.As(err, &failed) || len(failed.Groups) != 1 {
			t.Fatalf("got error %v, want one about metrics.k8s.io/v1beta1", err)
		}
		stale := failed.Groups[schema.GroupVersion{Group: "metrics.k8s.io", Version: "v1beta1"}]
		if _, ok := stale.(discovery.StaleGroupVersionError); !ok {
			t.Errorf("got %#v for the stale version", stale)
		}
		want(t, "requests", s.requests(), "/api", "/apis")
		want(t, "resources", names(lists),
			"v1: pods, pods/eviction, nodes, bare/scale",
			"apps/v1: deployments",
			"apps/v1beta1: deployments, relics")
		if len(groups) != 3 || groups[0].Name != "" || groups[1].PreferredVersion.GroupVersion != "apps/v1" || len(groups[2].Versions) != 0 {
			t.Errorf("got groups %v", groups)
		}
		pod, eviction := lists[0].APIResources[0], lists[0].APIResources[1]
		if !pod.Namespaced || pod.Kind != "Pod" || pod.ShortNames[0] != "po" || pod.Categories[0] != "all" || len(pod.Verbs) != 3 {
			t.Errorf("got %+v", pod)
		}
		if !eviction.Namespaced || eviction.Group != "policy" || eviction.SingularName != "pod" {
			t.Errorf("got %+v", eviction)
		}
	}
}

func TestAcceptHeaderNamesTheFormsTheClientKnows(t *testing.T) {
	for name, test := range map[string]struct {
		set    func(*discovery.DiscoveryClient)
		accept string
	}{
		"default": {func(*discovery.DiscoveryClient) {}, v2 + "," + v2beta1 + ",application/json"},
		"no peer": {func(c *discovery.DiscoveryClient) { c.NoPeerDiscovery = true },
			v2 + ";profile=nopeer," + v2 + "," + v2beta1 + ",application/json"},
		"legacy": {func(c *discovery.DiscoveryClient) { c.UseLegacyDiscovery, c.NoPeerDiscovery = true, true }, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, older(), newer(v2))
			client := s.client(t)
			test.set(client)
			if _, err := client.ServerGroups(); err != nil {
				t.Fatal(err)
			}
			want(t, "requests", s.asked, "/api "+test.accept, "/apis "+test.accept)
		})
	}
}

func TestOlderFormIsFetchedVersionByVersion(t *testing.T) {
	for name, client := range map[string]func(*discovery.DiscoveryClient) discovery.DiscoveryInterface{
		"old server":    func(c *discovery.DiscoveryClient) discovery.DiscoveryInterface { return c },
		"legacy client": func(c *discovery.DiscoveryClient) discovery.DiscoveryInterface { return c.WithLegacy() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, older(), nil)
			groups, lists, err := client(s.client(t)).ServerGroupsAndResources()
			if err != nil {
				t.Fatal(err)
			}
			want(t, "requests", s.requests(), "/api", "/api/v1", "/apis", "/apis/apps/v1", "/apis/apps/v1beta1")
			want(t, "resources", names(lists), "v1: pods, pods/eviction, nodes", "apps/v1: deployments", "apps/v1beta1: deployments, relics")
			if len(groups) != 2 || groups[0].PreferredVersion.Version != "v1" {
				t.Errorf("got groups %v", groups)
			}
		})
	}
}

func TestWithLegacyLeavesTheClientAsItIs(t *testing.T) {
	client := discovery.NewDiscoveryClient(nil)
	if legacy := client.WithLegacy().(*discovery.DiscoveryClient); !legacy.UseLegacyDiscovery || client.UseLegacyDiscovery {
		t.Errorf("legacy %v, original %v", legacy.UseLegacyDiscovery, client.UseLegacyDiscovery)
	}
}

func TestOneAggregatedDocumentIsNotEnough(t *testing.T) {
	for _, path := range []string{"/api", "/apis"} {
		s := newServer(t, older(), map[string]answer{path: newer(v2)[path]})
		client := s.client(t)
		groups, resources, _, err := client.GroupsAndMaybeResources()
		if err != nil || resources != nil || len(groups.Groups) < 2 {
			t.Fatalf("got %v, %v, %v; want groups only", groups, resources, err)
		}
		_, lists, err := client.ServerGroupsAndResources()
		want(t, "resources", names(lists), "v1: pods, pods/eviction, nodes", "apps/v1: deployments", "apps/v1beta1: deployments, relics")
		// The stale version is in /apis only.
		if _, failed := discovery.GroupDiscoveryFailedErrorGroups(err); failed != (path == "/apis") {
			t.Errorf("aggregated %s only: got error %v", path, err)
		}
	}
}

func TestServerThatRefusesTheOfferIsAskedForTheOlderForm(t *testing.T) {
	refusal := failure(http.StatusNotAcceptable, "NotAcceptable", "only the following media types are accepted: application/json")
	s := newServer(t, older(), map[string]answer{"/api": refusal, "/apis": refusal})
	_, lists, err := s.client(t).ServerGroupsAndResources()
	if err != nil || len(lists) != 3 {
		t.Errorf("got %q, %v", names(lists), err)
	}
}

func TestServerWithoutCoreGroup(t *testing.T) {
	s := newServer(t, map[string]answer{"/apis": {body: namedGroups}}, map[string]answer{"/apis": newer(v2)["/apis"]})
	client := s.client(t)
	_, lists, err := client.ServerGroupsAndResources()
	if !discovery.IsGroupDiscoveryFailedError(err) {
		t.Errorf("got error %v, want the stale version only", err)
	}
	want(t, "resources", names(lists), "apps/v1: deployments", "apps/v1beta1: deployments, relics")
	want(t, "requests", s.requests(), "/api", "/apis")

	list, err := client.ServerResourcesForGroupVersion("v1")
	if err != nil || list.GroupVersion != "v1" || len(list.APIResources) != 0 {
		t.Errorf("got %v, %v; want an empty v1", list, err)
	}
}

func TestVersionThatFailsIsTriedOnceMoreByItself(t *testing.T) {
	plain := older()
	plain["/apis/apps/v1beta1"] = failure(http.StatusServiceUnavailable, "ServiceUnavailable", "the backend naps")
	s := newServer(t, plain, nil)
	client := s.client(t)
	_, lists, err := client.ServerGroupsAndResources()
	failed, ok := discovery.GroupDiscoveryFailedErrorGroups(err)
	if !ok || !apierrors.IsServiceUnavailable(failed[schema.GroupVersion{Group: "apps", Version: "v1beta1"}]) {
		t.Errorf("got error %v", err)
	}
	if !strings.Contains(err.Error(), "the backend naps") {
		t.Errorf("%q does not have what the server said", err)
	}
	want(t, "resources", names(lists), "v1: pods, pods/eviction, nodes", "apps/v1: deployments")
	want(t, "requests", s.requests(), "/api", "/api/v1", "/apis", "/apis/apps/v1", "/apis/apps/v1beta1", "/apis/apps/v1beta1")
}

func TestRootThatFailsIsAnError(t *testing.T) {
	for _, path := range []string{"/api", "/apis"} {
		plain := older()
		plain[path] = failure(http.StatusForbidden, "Forbidden", "not for you")
		client := newServer(t, plain, nil).client(t)
		groups, err := client.ServerGroups()
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "not for you") || groups != nil {
			t.Errorf("%s: got %v, %v", path, groups, err)
		}
		if _, _, err := client.ServerGroupsAndResources(); !apierrors.IsForbidden(err) {
			t.Errorf("%s: got %v", path, err)
		}
		if _, err := client.ServerPreferredResources(); !apierrors.IsForbidden(err) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestMalformedDocumentIsAnErrorThatNamesThePath(t *testing.T) {
	for path, a := range map[string]answer{
		"/api":    {body: "<html>"},
		"/apis":   {contentType: v2, body: `{"items":[{"versions":7}]}`},
		"/api/v1": {body: "{"},
	} {
		plain := older()
		plain[path] = a
		_, lists, err := newServer(t, plain, nil).client(t).ServerGroupsAndResources()
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %q, %v", path, names(lists), err)
		}
	}
	plain := older()
	plain["/api"] = answer{body: "{"}
	_, err := newServer(t, plain, nil).client(t).ServerGroups()
	if syntax := new(json.SyntaxError); !errors.As(err, &syntax) {
		t.Errorf("got %#v, want a syntax error inside", err)
	}
}

func TestPreferredResourcesNameEachResourceOnce(t *testing.T) {
	for _, aggregated := range []map[string]answer{nil, newer(v2)} {
		client := newServer(t, older(), aggregated).client(t)
		all, err := client.ServerPreferredResources()
		if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
			t.Fatal(err)
		}
		want(t, "preferred", names(all), "v1: pods, nodes", "apps/v1: deployments", "apps/v1beta1: relics")
		namespaced, err := client.ServerPreferredNamespacedResources()
		if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
			t.Fatal(err)
		}
		want(t, "namespaced", names(namespaced), "v1: pods", "apps/v1: deployments")
	}
}

func TestPreferredVersionWinsOverTheFirst(t *testing.T) {
	plain := older()
	plain["/apis"] = answer{body: strings.Replace(namedGroups, `"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}`, `"preferredVersion":{"groupVersion":"apps/v1beta1","version":"v1beta1"}`, 1)}
	all, err := newServer(t, plain, nil).client(t).ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	want(t, "preferred", names(all), "v1: pods, nodes", "apps/v1: ", "apps/v1beta1: deployments, relics")
}

func TestResourcesOfAVersion(t *testing.T) {
	s := newServer(t, older(), newer(v2))
	client := s.client(t)
	for _, test := range []struct{ gv, path string }{{"v1", "/api/v1"}, {"apps/v1", "/apis/apps/v1"}} {
		list, err := client.ServerResourcesForGroupVersion(test.gv)
		if err != nil || list.GroupVersion != test.gv || len(list.APIResources) == 0 {
			t.Errorf("%s: got %v, %v", test.gv, list, err)
		}
		want(t, test.gv, s.requests(), test.path)
	}
	if _, err := client.ServerResourcesForGroupVersion("apps/v7"); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want NotFound", err)
	}
	if _, err := client.ServerResourcesForGroupVersion(""); err == nil {
		t.Error("no error for no version")
	}
}

func TestServerVersion(t *testing.T) {
	s := newServer(t, map[string]answer{"/version": {body: `{"major":"1","minor":"36","gitVersion":"v1.36.2"}`}}, nil)
	info, err := s.client(t).ServerVersion()
	if err != nil || info.GitVersion != "v1.36.2" || info.Minor != "36" {
		t.Errorf("got %v, %v", info, err)
	}
	s.set("/version", answer{body: "not JSON"})
	if info, err := s.client(t).ServerVersion(); err == nil {
		t.Errorf("got %v, want an error", info)
	}
}

func TestOpenAPISchemaIsFetchedAsProtobuf(t *testing.T) {
	body, err := proto.Marshal(&openapi_v2.Document{Swagger: "2.0", Info: &openapi_v2.Info{Title: "Kubernetes"}})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, map[string]answer{"/openapi/v2": {body: string(body)}}, nil)
	client := s.client(t)
	document, err := client.OpenAPISchema()
	if err != nil || document.GetInfo().GetTitle() != "Kubernetes" {
		t.Errorf("got %v, %v", document, err)
	}
	want(t, "requests", s.asked, "/openapi/v2 application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
	s.set("/openapi/v2", answer{body: "not protobuf"})
	if document, err := client.OpenAPISchema(); err == nil {
		t.Errorf("got %v, want an error", document)
	}
}

func TestDefaultsGiveWayToTheConfig(t *testing.T) {
	for name, test := range map[string]struct {
		config  restclient.Config
		timeout time.Duration
		burst   int
	}{
		"silent":   {restclient.Config{}, 32 * time.Second, 300},
		"explicit": {restclient.Config{Timeout: time.Minute, Burst: 7}, time.Minute, 7},
	} {
		t.Run(name, func(t *testing.T) {
			config := test.config
			config.Host = "https://server.invalid"
			client := discovery.NewDiscoveryClientForConfigOrDie(&config)
			if config.Timeout != test.config.Timeout || config.NegotiatedSerializer != nil {
				t.Error("the config was changed")
			}
			rest := client.RESTClient().(*restclient.RESTClient)
			if rest.Client.Timeout != test.timeout {
				t.Errorf("times out after %v, want %v", rest.Client.Timeout, test.timeout)
			}
			burst := 0
			for rest.GetRateLimiter().TryAccept() {
				burst++
			}
			// While it is counted, some of it comes back.
			if burst < test.burst || burst > test.burst+5 {
				t.Errorf("a burst of %d, want %d", burst, test.burst)
			}
		})
	}
}

func TestBadConfigIsAnError(t *testing.T) {
	bad := &restclient.Config{Host: "http://[::1"}
	if _, err := discovery.NewDiscoveryClientForConfig(bad); err == nil {
		t.Error("no error")
	}
	if _, err := discovery.NewDiscoveryClientForConfigAndClient(bad, http.DefaultClient); err == nil {
		t.Error("no error with a client")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	discovery.NewDiscoveryClientForConfigOrDie(bad)
}

func TestNilClientHasNoRESTClient(t *testing.T) {
	if (*discovery.DiscoveryClient)(nil).RESTClient() != nil {
		t.Error("got one")
	}
}

func TestRESTClientDecodesObjectsThatAreHandedIn(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	raw, err := pod.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	inProtobuf := append([]byte("k8s\x00\x0a\x09\x0a\x02v1\x12\x03Pod\x12"), byte(len(raw)))
	s := newServer(t, map[string]answer{
		"/json":     {body: `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web"}}`},
		"/protobuf": {contentType: "application/vnd.kubernetes.protobuf", body: string(append(inProtobuf, raw...))},
	}, nil)
	for path := range s.plain {
		var got corev1.Pod
		err := s.client(t).RESTClient().Get().AbsPath(path).Do(context.Background()).Into(&got)
		if err != nil || got.Name != "web" {
			t.Errorf("%s: got %v, %v", path, got.Name, err)
		}
	}
	err = s.client(t).RESTClient().Get().AbsPath("/nothing").Do(context.Background()).Error()
	if !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want NotFound", err)
	}
}
