package kubernetes

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// Clientset implements [Interface] against a server. Make one with
// [NewForConfig]; it may be used by many goroutines.
type Clientset struct {
	*discovery.DiscoveryClient
	groups *groupClients
}

// NewForConfig returns a clientset that talks to the server that the config
// names, as whom it says. Nothing is sent yet, so an error is one of the config.
//
// All groups share one HTTP client, made by [rest.HTTPClientFor]. They share one
// rate limiter, too, if the config has one or sets QPS; otherwise each group has
// one of the default rate.
func NewForConfig(c *rest.Config) (*Clientset, error) {
	config := *c
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	client, err := rest.HTTPClientFor(&config)
	if err != nil {
		return nil, err
	}
	return NewForConfigAndClient(&config, client)
}

// NewForConfigAndClient is [NewForConfig] with an HTTP client of the caller's,
// whose transport is used as it is: what the config says of TLS, proxies and
// credentials is not looked at.
func NewForConfigAndClient(c *rest.Config, httpClient *http.Client) (*Clientset, error) {
	config := *c
	if config.RateLimiter == nil && config.QPS > 0 {
		if config.Burst <= 0 {
			return nil, errors.New("a config with QPS above 0 and no RateLimiter needs a Burst of 1 or more")
		}
		config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(config.QPS, config.Burst)
	}
	// The discovery client is built now: whatever is wrong with the config,
	// and would fail a group's client later, fails it.
	client, err := discovery.NewDiscoveryClientForConfigAndClient(&config, httpClient)
	if err != nil {
		return nil, err
	}
	return &Clientset{
		DiscoveryClient: client,
		groups:          &groupClients{source: source{config: &config, httpClient: httpClient}},
	}, nil
}

// NewForConfigOrDie is [NewForConfig] for a config that cannot be wrong. It
// panics if it is.
func NewForConfigOrDie(c *rest.Config) *Clientset {
	clientset, err := NewForConfig(c)
	if err != nil {
		panic(err)
	}
	return clientset
}

// New returns a clientset whose groups all send their requests through one REST
// client.
func New(c rest.Interface) *Clientset {
	return &Clientset{
		DiscoveryClient: discovery.NewDiscoveryClient(c),
		groups:          &groupClients{source: source{client: c}},
	}
}

// Discovery returns the client that asks which groups, versions and resources
// the server has.
func (c *Clientset) Discovery() discovery.DiscoveryInterface {
	if c == nil {
		return nil
	}
	return c.DiscoveryClient
}

// source is what group clients are made from: a config and an HTTP client, or a
// REST client.
type source struct {
	config     *rest.Config
	httpClient *http.Client
	client     rest.Interface
}

// groupClient returns the client in the slot, and first puts one there if there
// is none. It is generic, and gets the group's functions from its caller, so
// that a group which is never asked for is not linked.
func groupClient[T any](
	s *source, slot *atomic.Pointer[T],
	forConfig func(*rest.Config, *http.Client) (*T, error), forClient func(rest.Interface) *T,
) *T {
	if client := slot.Load(); client != nil {
		return client
	}
	var client *T
	if s.client != nil || s.config == nil {
		client = forClient(s.client)
	} else {
		var err error
		if client, err = forConfig(s.config, s.httpClient); err != nil {
			// The config has built one client already, and is ours.
			panic(fmt.Sprintf("building the client of a group from a config that was checked: %v", err))
		}
	}
	// Of two goroutines that build one, both go on with the first: a client
	// has a rate limiter of its own.
	if slot.CompareAndSwap(nil, client) {
		return client
	}
	return slot.Load()
}
