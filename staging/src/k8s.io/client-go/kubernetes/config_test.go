package kubernetes

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

func newClientset(t *testing.T, config *rest.Config) *Clientset {
	t.Helper()
	clientset, err := NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return clientset
}

func restClient(t *testing.T, client interface{ RESTClient() rest.Interface }) *rest.RESTClient {
	t.Helper()
	restClient, isREST := client.RESTClient().(*rest.RESTClient)
	if !isREST {
		t.Fatalf("the client's requests go through a %T", client.RESTClient())
	}
	return restClient
}

// eachGroup calls each method of the clientset that returns a group's client.
func eachGroup(t *testing.T, clientset Interface, do func(t *testing.T, method string, client rest.Interface)) {
	t.Helper()
	methods := reflect.TypeFor[Interface]()
	for i := range methods.NumMethod() {
		method := methods.Method(i)
		if method.Name == "Discovery" {
			continue
		}
		t.Run(method.Name, func(t *testing.T) {
			results := reflect.ValueOf(clientset).MethodByName(method.Name).Call(nil)
			group, hasClient := results[0].Interface().(interface{ RESTClient() rest.Interface })
			if !hasClient {
				t.Fatalf("it returns %s, which has no RESTClient", results[0].Type())
			}
			do(t, method.Name, group.RESTClient())
		})
	}
}

func TestEachMethodLeadsToItsGroupAndVersion(t *testing.T) {
	seen := map[schema.GroupVersion]string{}
	eachGroup(t, newClientset(t, &rest.Config{Host: "https://example.com/prefix"}), func(t *testing.T, method string, client rest.Interface) {
		// The name of a method is a group's first label and a version.
		split := strings.LastIndex(method, "V")
		label, version := strings.ToLower(method[:split]), strings.ToLower(method[split:])
		got := client.APIVersion()
		if label == "core" {
			label = ""
		}
		if first, _, _ := strings.Cut(got.Group, "."); first != label || got.Version != version {
			t.Errorf("it leads to %s", got)
		}
		if !scheme.Scheme.IsVersionRegistered(got) {
			t.Errorf("the scheme does not know %s", got)
		}
		if other := seen[got]; other != "" {
			t.Errorf("%s leads to %s, too", other, got)
		}
		seen[got] = method

		want := "https://example.com/prefix/apis/" + got.String()
		if got.Group == "" {
			want = "https://example.com/prefix/api/v1"
		}
		if url := client.Get().URL().String(); url != want {
			t.Errorf("its requests go to %s, want %s", url, want)
		}
	})
	if len(seen) == 0 {
		t.Error("there is no group")
	}
}

func TestNewSendsAllGroupsThroughOneClient(t *testing.T) {
	base, err := rest.UnversionedRESTClientFor(&rest.Config{
		Host:          "example.com",
		ContentConfig: rest.ContentConfig{NegotiatedSerializer: scheme.Codecs},
	})
	if err != nil {
		t.Fatal(err)
	}
	clientset := New(base)
	eachGroup(t, clientset, func(t *testing.T, _ string, client rest.Interface) {
		if client != rest.Interface(base) {
			t.Error("it has another client")
		}
	})
	if clientset.Discovery().RESTClient() != rest.Interface(base) {
		t.Error("discovery has another client")
	}
}

func TestGroupsAreBuiltAtTheFirstCall(t *testing.T) {
	clientset := newClientset(t, &rest.Config{Host: "example.com"})
	if clientset.groups.made[slotCoreV1].Load() != nil {
		t.Error("a client is there before the first call")
	}
	clientset.CoreV1()
	if clientset.groups.made[slotCoreV1].Load() == nil {
		t.Error("no client is there after the first call")
	}
	if clientset.groups.made[slotAppsV1].Load() != nil {
		t.Error("a client is there that nobody asked for")
	}
}

func TestManyGoroutinesGetOneClientOfAGroup(t *testing.T) {
	clientset := newClientset(t, &rest.Config{Host: "example.com"})
	clients := make([]v1.CoreV1Interface, 16)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			<-start
			clients[i] = clientset.CoreV1()
		})
	}
	close(start)
	group.Wait()
	for _, client := range clients {
		if client != clients[0] {
			t.Fatal("two goroutines got different clients, and so two rate limiters")
		}
	}
}

func TestGroupsShareTheHTTPClient(t *testing.T) {
	clientset := newClientset(t, &rest.Config{Host: "example.com"})
	core, apps := restClient(t, clientset.CoreV1()), restClient(t, clientset.AppsV1())
	if core.Client != apps.Client || core.Client != restClient(t, clientset.Discovery()).Client {
		t.Error("groups have HTTP clients of their own")
	}

	given := &http.Client{}
	clientset, err := NewForConfigAndClient(&rest.Config{Host: "example.com"}, given)
	if err != nil {
		t.Fatal(err)
	}
	if restClient(t, clientset.CoreV1()).Client != given {
		t.Error("the HTTP client is not the one that was given")
	}
}

func TestRateLimiters(t *testing.T) {
	own := flowcontrol.NewFakeAlwaysRateLimiter()
	for name, test := range map[string]struct {
		config rest.Config
		shared bool
		check  func(flowcontrol.RateLimiter) bool
	}{
		"the config's": {
			config: rest.Config{RateLimiter: own}, shared: true,
			check: func(l flowcontrol.RateLimiter) bool { return l == own },
		},
		"the config's, whatever its QPS": {
			config: rest.Config{RateLimiter: own, QPS: 7}, shared: true,
			check: func(l flowcontrol.RateLimiter) bool { return l == own },
		},
		"one of the QPS": {
			config: rest.Config{QPS: 7, Burst: 9}, shared: true,
			check: func(l flowcontrol.RateLimiter) bool { return l.QPS() == 7 },
		},
		"none": {
			config: rest.Config{QPS: -1}, shared: true,
			check: func(l flowcontrol.RateLimiter) bool { return l == nil },
		},
		"the default, for each": {
			check: func(l flowcontrol.RateLimiter) bool { return l.QPS() == rest.DefaultQPS },
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.config.Host = "example.com"
			clientset := newClientset(t, &test.config)
			core := restClient(t, clientset.CoreV1()).GetRateLimiter()
			if !test.check(core) {
				t.Errorf("the rate limiter is %v", core)
			}
			apps := restClient(t, clientset.AppsV1()).GetRateLimiter()
			inDiscovery := restClient(t, clientset.Discovery()).GetRateLimiter()
			if test.shared && (core != apps || core != inDiscovery) {
				t.Error("groups have rate limiters of their own")
			}
			if !test.shared && (core == apps || core == inDiscovery) {
				t.Error("groups share a rate limiter")
			}
		})
	}
}

func TestConfigIsNeitherChangedNorReadLater(t *testing.T) {
	config := &rest.Config{Host: "https://example.com", QPS: 5, Burst: 10, APIPath: "/elsewhere"}
	before := *config
	clientset := newClientset(t, config)
	clientset.CoreV1()
	if !reflect.DeepEqual(*config, before) {
		t.Errorf("the config is now %v", config)
	}
	*config = rest.Config{Host: "%%"}
	if got := clientset.AppsV1().RESTClient().Get().URL().String(); got != "https://example.com/apis/apps/v1" {
		t.Errorf("a change of the config sends requests to %s", got)
	}
}

func TestWhatIsWrongWithAConfigIsSaidAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		config rest.Config
		want   string
	}{
		"host that is no host": {rest.Config{Host: "http://[::1"}, "host"},
		"host that is no URL":  {rest.Config{Host: "%%"}, "%%"},
		"missing file":         {rest.Config{Host: "https://h", TLSClientConfig: rest.TLSClientConfig{CAFile: "/no/such/file"}}, "/no/such/file"},
		"QPS without Burst":    {rest.Config{Host: "h", QPS: 5}, "needs a Burst of 1 or more"},
		"Burst below 0":        {rest.Config{Host: "h", QPS: 5, Burst: -1}, "needs a Burst of 1 or more"},
	} {
		t.Run(name, func(t *testing.T) {
			clientset, err := NewForConfig(&test.config)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
			if clientset != nil {
				t.Error("there is a clientset all the same")
			}
			defer func() {
				if recover() == nil {
					t.Error("NewForConfigOrDie did not panic")
				}
			}()
			NewForConfigOrDie(&test.config)
		})
	}
}

func TestRequestsTellTheUserAgent(t *testing.T) {
	agents := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agents <- r.UserAgent()
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	for _, test := range []struct{ given, want string }{
		{"", rest.DefaultKubernetesUserAgent()},
		{"kiosk/1.0", "kiosk/1.0"},
	} {
		clientset := newClientset(t, &rest.Config{Host: server.URL, UserAgent: test.given})
		clientset.CoreV1().Nodes().Get(t.Context(), "rack", metav1.GetOptions{})
		if got := <-agents; got != test.want {
			t.Errorf("a request of a group has the user agent %q, want %q", got, test.want)
		}
		clientset.Discovery().RESTClient().Get().AbsPath("/version").Do(t.Context())
		if got := <-agents; got != test.want {
			t.Errorf("a request of discovery has the user agent %q, want %q", got, test.want)
		}
	}
}

// Code that only passes a clientset on, as tests do, may have one that was never made.
func TestClientsetsThatWereNotMade(t *testing.T) {
	var none *Clientset
	if none.Discovery() != nil {
		t.Error("no clientset has discovery")
	}
	zero := &Clientset{}
	if client, ok := zero.Discovery().(*discovery.DiscoveryClient); !ok || client != nil {
		t.Errorf("discovery of the zero clientset is %#v, want a nil client", zero.Discovery())
	}
	if client, ok := zero.CoreV1().(*v1.CoreV1Client); !ok || client != nil {
		t.Errorf("the core client of the zero clientset is %#v, want a nil client", zero.CoreV1())
	}
	eachGroup(t, zero, func(t *testing.T, _ string, client rest.Interface) {
		if client != nil {
			t.Errorf("a group of the zero clientset sends requests through %v", client)
		}
	})
	eachGroup(t, New(nil), func(t *testing.T, _ string, client rest.Interface) {
		if client != nil {
			t.Errorf("a group without a client sends requests through %v", client)
		}
	})
}
