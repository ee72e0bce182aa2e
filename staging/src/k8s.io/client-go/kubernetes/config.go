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
		groups:          &groupClients{config: &config, httpClient: httpClient},
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
		groups:          &groupClients{client: c},
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

// groupClients makes the groups' clients, from a config and an HTTP client or
// from a REST client, and holds those that have been asked for.
type groupClients struct {
	config     *rest.Config
	httpClient *http.Client
	client     rest.Interface

	// made does not name the clients' types: those would be linked with it.
	made [slots]atomic.Value
}

// groupClient returns the client in the slot, and first puts one there if there
// is none. It is generic, and gets the group's functions from its caller, so
// that a group which is never asked for is not linked.
func groupClient[T any](
	g *groupClients, slot int,
	forConfig func(*rest.Config, *http.Client) (*T, error), forClient func(rest.Interface) *T,
) *T {
	if made := g.made[slot].Load(); made != nil {
		return made.(*T)
	}
	var client *T
	if g.client != nil || g.config == nil {
		client = forClient(g.client)
	} else {
		var err error
		if client, err = forConfig(g.config, g.httpClient); err != nil {
			// The config has built one client already, and is ours.
			panic(fmt.Sprintf("building the client of a group from a config that was checked: %v", err))
		}
	}
	// Of two goroutines that build one, both go on with the first: a client
	// has a rate limiter of its own.
	if g.made[slot].CompareAndSwap(nil, client) {
		return client
	}
	return g.made[slot].Load().(*T)
}
