package rest

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/pkg/apis/clientauthentication"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func TestClientReachesAServerWithTLS(t *testing.T) {
	var got http.Header
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		got = req.Header
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, podJSON)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	dir := t.TempDir()
	ca, token := filepath.Join(dir, "ca"), filepath.Join(dir, "token")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, data := range map[string][]byte{ca: certificate, token: []byte("t0ken")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := testConfig(server.URL)
	config.CAFile, config.BearerTokenFile, config.UserAgent = ca, token, "agent"
	config.Impersonate = ImpersonationConfig{UserName: "bob", Groups: []string{"g"}}
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Header.Set("X-Wrapped", "yes")
			return rt.RoundTrip(req)
		})
	})
	if _, err := testClient(t, config).Get().DoRaw(background); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{"Authorization": "Bearer t0ken", "User-Agent": "agent", "Impersonate-User": "bob", "Impersonate-Group": "g", "X-Wrapped": "yes"} {
		if got.Get(header) != want {
			t.Errorf("%s: %q, want %q", header, got.Get(header), want)
		}
	}
	anonymous := AnonymousClientConfig(config)
	if _, err := testClient(t, anonymous).Get().DoRaw(background); err != nil || got.Get("Authorization") != "" || got.Get("Impersonate-User") != "" {
		t.Errorf("anonymous: %v, %v", got, err)
	}
	anonymous.CAFile = ""
	if _, err := testClient(t, anonymous).Get().DoRaw(background); err == nil {
		t.Error("a server that nobody vouches for is trusted")
	}
	if tls, err := TLSConfigFor(config); err != nil || tls.RootCAs == nil {
		t.Errorf("%v, %v", tls, err)
	}
	if err := LoadTLSFiles(config); err != nil || string(config.CAData) != string(certificate) {
		t.Errorf("loaded %q, %v", config.CAData, err)
	}
	if err := LoadTLSFiles(&Config{TLSClientConfig: TLSClientConfig{KeyFile: "/does/not/exist"}}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestPlainConfigUsesTheDefaultClient(t *testing.T) {
	if client, err := HTTPClientFor(&Config{}); err != nil || client != http.DefaultClient {
		t.Errorf("%v, %v", client, err)
	}
	client, err := HTTPClientFor(&Config{Timeout: time.Minute})
	if err != nil || client == http.DefaultClient || client.Timeout != time.Minute {
		t.Errorf("%v, %v", client, err)
	}
	if tls, err := TLSConfigFor(&Config{}); err != nil || tls != nil {
		t.Errorf("%v, %v", tls, err)
	}
}

func TestContradictionsAreErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		config Config
		want   string
	}{
		"two plugins":   {Config{ExecProvider: &clientcmdapi.ExecConfig{}, AuthProvider: &clientcmdapi.AuthProviderConfig{}}, "cannot be used in combination"},
		"two users":     {Config{Username: "a", BearerToken: "b"}, "not both"},
		"trust and not": {Config{TLSClientConfig: TLSClientConfig{Insecure: true, CAData: []byte("x")}}, "insecure"},
	} {
		config := tc.config
		config.ContentConfig = testConfig("").ContentConfig
		if _, err := RESTClientFor(&config); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// provider is an AuthProvider that says who it is.
type provider struct{ settings string }

func (p provider) Login() error { return nil }

func (p provider) WrapTransport(rt http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set("X-Provider", p.settings)
		return rt.RoundTrip(req)
	})
}

func TestAuthProviderAuthenticates(t *testing.T) {
	t.Cleanup(func() { delete(providers.byName, "test") })
	failure := errors.New("no such cluster")
	register := func() error {
		return RegisterAuthProviderPlugin("test", func(cluster string, config map[string]string, p AuthProviderConfigPersister) (AuthProvider, error) {
			if cluster == "" {
				return nil, failure
			}
			return provider{fmt.Sprint(cluster, config, p)}, nil
		})
	}
	if err := register(); err != nil {
		t.Fatal(err)
	}
	if err := register(); err == nil || !strings.Contains(err.Error(), "registered twice") {
		t.Error(err)
	}
	config := testConfig("https://server.example")
	config.AuthProvider = &clientcmdapi.AuthProviderConfig{Name: "test", Config: map[string]string{"a": "b"}}
	config.AuthConfigPersister = persister{}
	var got string
	config.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
		got = req.Header.Get("X-Provider")
		return answer(200, "", ""), nil
	})
	if _, err := testClient(t, config).Get().DoRaw(background); err != nil || got != "https://server.examplemap[a:b] {}" {
		t.Errorf("%q, %v", got, err)
	}
	config.Host = ""
	if _, err := TransportFor(config); !errors.Is(err, failure) {
		t.Error(err)
	}
	config.AuthProvider.Name = "other"
	if _, err := HTTPWrappersForConfig(config, nil); err == nil || !strings.Contains(err.Error(), `"other"`) {
		t.Error(err)
	}
}

func TestExecClusterTellsWhatTheConfigSays(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca")
	if err := os.WriteFile(ca, []byte("authority"), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := &url.URL{Scheme: "http", Host: "proxy.example"}
	config := &Config{
		Host:               "https://server.example",
		DisableCompression: true,
		BearerToken:        secret,
		TLSClientConfig:    TLSClientConfig{CAFile: ca, ServerName: "name"},
		Proxy:              http.ProxyURL(proxy),
	}
	cluster, err := ConfigToExecCluster(config)
	want := &clientauthentication.Cluster{
		Server: "https://server.example", TLSServerName: "name", CertificateAuthorityData: []byte("authority"),
		ProxyURL: "http://proxy.example", DisableCompression: true,
	}
	if err != nil || !reflect.DeepEqual(cluster, want) {
		t.Fatalf("got %+v, %v", cluster, err)
	}
	back, err := ExecClusterToConfig(cluster)
	if err != nil || back.Host != config.Host || back.BearerToken != "" || back.ServerName != "name" || string(back.CAData) != "authority" || !back.DisableCompression {
		t.Errorf("got %v, %v", back, err)
	}
	if u, err := back.Proxy(&http.Request{URL: &url.URL{Host: "x"}}); err != nil || *u != *proxy {
		t.Errorf("proxy %v, %v", u, err)
	}
	failure := errors.New("no proxy today")
	for _, tc := range []struct {
		config Config
		want   string
	}{
		{Config{TLSClientConfig: TLSClientConfig{CAFile: "/does/not/exist"}}, "failed to load CA bundle"},
		{Config{Host: ":// x", Proxy: http.ProxyURL(proxy)}, "failed to create proxy URL request"},
		{Config{Proxy: func(*http.Request) (*url.URL, error) { return nil, failure }}, "failed to get proxy URL"},
	} {
		if _, err := ConfigToExecCluster(&tc.config); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
	cluster.ProxyURL = "http://p/%zz"
	if _, err := ExecClusterToConfig(cluster); err == nil {
		t.Error("a proxy that is no URL is no error")
	}
}
