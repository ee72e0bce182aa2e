package apply_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/features"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/apply"
)

// newClient returns a client whose server notes the last request.
func newClient(t testing.TB) (client *rest.RESTClient, last func() string) {
	var seen string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen = fmt.Sprintf("%s %s\n%s\n%q", r.Method, r.URL, r.Header.Get("Content-Type"), body)
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	group := schema.GroupVersion{Version: "v1"}
	codecs := serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	client, err = rest.NewRESTClient(base, "/api/v1", rest.ClientContentConfig{
		ContentType:  "application/json",
		GroupVersion: group,
		Negotiator:   runtime.NewClientNegotiator(codecs, group),
	}, nil, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	return client, func() string { return seen }
}

type gates map[features.Feature]bool

func (g gates) Enabled(f features.Feature) bool { return g[f] }

// setGates replaces the feature gates for one test.
func setGates(t testing.TB, g gates) {
	before := features.FeatureGates()
	features.ReplaceFeatureGates(g)
	t.Cleanup(func() { features.ReplaceFeatureGates(before) })
}

type configuration struct {
	Kind *string        `json:"kind,omitempty"`
	Data map[string]int `json:"data,omitempty"`
}

func TestBodyAndContentTypeFollowTheFeatures(t *testing.T) {
	kind := "Pod"
	for name, c := range map[string]struct {
		gates gates
		cbor  bool
	}{
		"neither":           {gates{}, false},
		"allowed only":      {gates{features.ClientsAllowCBOR: true}, false},
		"preferred only":    {gates{features.ClientsPreferCBOR: true}, false},
		"allowed preferred": {gates{features.ClientsAllowCBOR: true, features.ClientsPreferCBOR: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			setGates(t, c.gates)
			client, last := newClient(t)
			request, err := apply.NewRequest(client, &configuration{Kind: &kind, Data: map[string]int{"a": 1}})
			if err != nil {
				t.Fatal(err)
			}
			if err := request.Resource("pods").Name("web").Do(t.Context()).Error(); err != nil {
				t.Fatal(err)
			}
			want := "PATCH /api/v1/pods/web\napplication/apply-patch+yaml\n" + `"{\"kind\":\"Pod\",\"data\":{\"a\":1}}"`
			if c.cbor {
				want = "PATCH /api/v1/pods/web\napplication/apply-patch+cbor\n" + `"\xa2Ddata\xa1Aa\x01DkindCPod"`
			}
			if got := last(); got != want {
				t.Errorf("the server saw\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestValueThatCannotBeEncodedIsAnError(t *testing.T) {
	for _, g := range []gates{{}, {features.ClientsAllowCBOR: true, features.ClientsPreferCBOR: true}} {
		setGates(t, g)
		client, _ := newClient(t)
		if request, err := apply.NewRequest(client, make(chan int)); err == nil || request != nil {
			t.Errorf("got request %v and error %v", request, err)
		}
	}
}

type failing struct{}

var errFailing = errors.New("on strike")

func (failing) MarshalJSON() ([]byte, error) { return nil, errFailing }

func TestErrorOfTheValueCanBeFound(t *testing.T) {
	setGates(t, gates{})
	client, _ := newClient(t)
	if _, err := apply.NewRequest(client, failing{}); !errors.Is(err, errFailing) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkNewRequest(b *testing.B) {
	client, _ := newClient(b)
	kind := "Pod"
	config := &configuration{Kind: &kind, Data: map[string]int{"a": 1}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := apply.NewRequest(client, config); err != nil {
			b.Fatal(err)
		}
	}
}
