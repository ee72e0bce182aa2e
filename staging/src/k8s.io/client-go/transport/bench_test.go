package transport_test

import (
	"net/http"
	"testing"

	"k8s.io/client-go/transport"
)

// BenchmarkNewOfKnownConfig is what it costs to make another client for the same
// server with the same certificates.
func BenchmarkNewOfKnownConfig(b *testing.B) {
	ca := newAuthority(b, "ca")
	cert, key := ca.pair("client")
	dir := b.TempDir()
	for name, tls := range map[string]transport.TLSConfig{
		"data": {CAData: ca.pem, CertData: cert, KeyData: key},
		"files": {
			CAFile:   write(b, dir, "ca", ca.pem),
			CertFile: write(b, dir, "cert", cert),
			KeyFile:  write(b, dir, "key", key),
		},
	} {
		b.Run(name, func(b *testing.B) {
			kept := newTransport(b, &transport.Config{TLS: tls})
			b.ReportAllocs()
			for b.Loop() {
				if rt := newTransport(b, &transport.Config{TLS: tls}); rt != kept {
					b.Fatal("the transport is not shared")
				}
			}
		})
	}
}

// BenchmarkLayers is what the layers cost a request, and nothing else.
func BenchmarkLayers(b *testing.B) {
	response := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
	inner := roundTripFunc(func(*http.Request) (*http.Response, error) { return response, nil })
	file := write(b, b.TempDir(), "token", []byte("token"))
	for name, config := range map[string]*transport.Config{
		"agent":                {UserAgent: "agent"},
		"agent and token":      {UserAgent: "agent", BearerToken: "token"},
		"agent and token file": {UserAgent: "agent", BearerTokenFile: file},
		"all": {UserAgent: "agent", BearerTokenFile: file, Impersonate: transport.ImpersonationConfig{
			UserName: "user", Groups: []string{"a", "b"}, Extra: map[string][]string{"scopes": {"x", "y"}},
		}},
	} {
		b.Run(name, func(b *testing.B) {
			config.Transport = inner
			rt := newTransport(b, config)
			req, _ := http.NewRequest(http.MethodGet, "https://server.test/api/v1/pods", nil)
			req.Header.Set("Accept", "application/json")
			req.Header.Set("Content-Type", "application/json")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := rt.RoundTrip(req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTokenOfManyClients is how a token source does that all goroutines use
// at the same time.
func BenchmarkTokenOfManyClients(b *testing.B) {
	source := transport.NewCachedFileTokenSource(write(b, b.TempDir(), "token", []byte("token")))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := source.Token(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
