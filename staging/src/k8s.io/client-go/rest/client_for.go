package rest

import (
	"errors"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/flowcontrol"
)

// RESTClientFor returns a client for the API that config names. It needs a GroupVersion
// and a NegotiatedSerializer.
func RESTClientFor(config *Config) (*RESTClient, error) {
	return clientFor(config, true, func() (*http.Client, error) { return HTTPClientFor(config) })
}

// RESTClientForConfigAndClient is RESTClientFor with an HTTP client of the caller's, as is
// fit for clients of several APIs of one server. What config says about connections and authentication does not
// count. Nil stands for http.DefaultClient.
func RESTClientForConfigAndClient(config *Config, httpClient *http.Client) (*RESTClient, error) {
	return clientFor(config, true, func() (*http.Client, error) { return httpClient, nil })
}

// UnversionedRESTClientFor is RESTClientFor for clients of no API in particular: config
// needs no GroupVersion.
func UnversionedRESTClientFor(config *Config) (*RESTClient, error) {
	return clientFor(config, false, func() (*http.Client, error) { return HTTPClientFor(config) })
}

// UnversionedRESTClientForConfigAndClient is RESTClientForConfigAndClient for clients of no
// API in particular: config needs no GroupVersion.
func UnversionedRESTClientForConfigAndClient(config *Config, httpClient *http.Client) (*RESTClient, error) {
	return clientFor(config, false, func() (*http.Client, error) { return httpClient, nil })
}

func clientFor(config *Config, versioned bool, httpClient func() (*http.Client, error)) (*RESTClient, error) {
	gv := metav1.SchemeGroupVersion
	switch {
	case config.GroupVersion != nil:
		gv = *config.GroupVersion
	case versioned:
		return nil, errors.New("GroupVersion is required when initializing a RESTClient")
	}
	if config.NegotiatedSerializer == nil {
		return nil, errors.New("NegotiatedSerializer is required when initializing a RESTClient")
	}
	// What is wrong with the host should be told before files and plugins are touched.
	base, apiPath, err := DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	hc, err := httpClient()
	if err != nil {
		return nil, err
	}
	c := newRESTClient(base, apiPath, ClientContentConfig{
		AcceptContentTypes: config.AcceptContentTypes,
		ContentType:        config.ContentType,
		GroupVersion:       gv,
		Negotiator:         &cachingNegotiator{ClientNegotiator: runtime.NewClientNegotiator(config.NegotiatedSerializer, gv)},
	}, rateLimiterFor(config), hc)
	c.warnings = warningHandlerFor(config)
	return c, nil
}

func rateLimiterFor(config *Config) flowcontrol.RateLimiter {
	if config.RateLimiter != nil {
		return config.RateLimiter
	}
	qps, burst := config.QPS, config.Burst
	if qps == 0 {
		qps = DefaultQPS
	}
	if burst == 0 {
		burst = DefaultBurst
	}
	if qps < 0 {
		return nil
	}
	return flowcontrol.NewTokenBucketRateLimiter(qps, burst)
}
