package testing

import (
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	restclient "k8s.io/client-go/rest"
)

// A Fake records actions and has them answered by the first reactor in the
// chain for their sort that handles them. Clientsets for tests embed it. The
// zero value is ready: it answers everything with the default answer.
//
// A Fake may be used by several goroutines. It runs one reactor at a time, so
// that reactors need no locks among themselves. A reactor may add reactors and
// look at the actions so far, but must not make requests by way of the same
// Fake.
type Fake struct {
	// The lock guards the fields below.
	sync.RWMutex
	actions []Action
	// reacting is held while reactors run.
	reacting sync.Mutex

	// ReactionChain answers all requests but those of the two other chains.
	// Earlier reactors are asked first.
	ReactionChain []Reactor
	// WatchReactionChain answers requests for a watch.
	WatchReactionChain []WatchReactor
	// ProxyReactionChain answers requests to a pod or service by way of the
	// API server.
	ProxyReactionChain []ProxyReactor

	// Resources is what fake discovery clients find.
	Resources []*metav1.APIResourceList
}

// AddReactor has reaction asked after the reactors there are. See
// [SimpleReactor] for what verb and resource may be.
func (c *Fake) AddReactor(verb, resource string, reaction ReactionFunc) {
	c.Lock()
	defer c.Unlock()
	c.ReactionChain = append(slices.Clip(c.ReactionChain), &SimpleReactor{Verb: verb, Resource: resource, Reaction: reaction})
}

// PrependReactor has reaction asked before the reactors there are. See
// [SimpleReactor] for what verb and resource may be.
func (c *Fake) PrependReactor(verb, resource string, reaction ReactionFunc) {
	c.Lock()
	defer c.Unlock()
	c.ReactionChain = prepend(c.ReactionChain, Reactor(&SimpleReactor{Verb: verb, Resource: resource, Reaction: reaction}))
}

// AddWatchReactor has reaction asked after the watch reactors there are.
func (c *Fake) AddWatchReactor(resource string, reaction WatchReactionFunc) {
	c.Lock()
	defer c.Unlock()
	c.WatchReactionChain = append(slices.Clip(c.WatchReactionChain), &SimpleWatchReactor{Resource: resource, Reaction: reaction})
}

// PrependWatchReactor has reaction asked before the watch reactors there are.
func (c *Fake) PrependWatchReactor(resource string, reaction WatchReactionFunc) {
	c.Lock()
	defer c.Unlock()
	c.WatchReactionChain = prepend(c.WatchReactionChain, WatchReactor(&SimpleWatchReactor{Resource: resource, Reaction: reaction}))
}

// AddProxyReactor has reaction asked after the proxy reactors there are.
func (c *Fake) AddProxyReactor(resource string, reaction ProxyReactionFunc) {
	c.Lock()
	defer c.Unlock()
	c.ProxyReactionChain = append(slices.Clip(c.ProxyReactionChain), &SimpleProxyReactor{Resource: resource, Reaction: reaction})
}

// PrependProxyReactor has reaction asked before the proxy reactors there are.
func (c *Fake) PrependProxyReactor(resource string, reaction ProxyReactionFunc) {
	c.Lock()
	defer c.Unlock()
	c.ProxyReactionChain = prepend(c.ProxyReactionChain, ProxyReactor(&SimpleProxyReactor{Resource: resource, Reaction: reaction}))
}

// prepend never writes into chain, which a request may be walking along.
func prepend[R any](chain []R, first R) []R {
	return append([]R{first}, chain...)
}

// Invokes records action and returns the answer of the first reactor that
// handles it, or defaultReturnObj if none does. All reactors are given the same
// copy of action: what one changes in it, the next ones see.
func (c *Fake) Invokes(action Action, defaultReturnObj runtime.Object) (runtime.Object, error) {
	c.reacting.Lock()
	defer c.reacting.Unlock()
	chain := record(c, action, func() []Reactor { return c.ReactionChain })
	shown := action.DeepCopy()
	for _, reactor := range chain {
		if !reactor.Handles(shown) {
			continue
		}
		if handled, answer, err := reactor.React(shown); handled {
			return answer, err
		}
	}
	return defaultReturnObj, nil
}

// InvokesWatch records action and returns the answer of the first watch reactor
// that handles it. It is an error if none does.
func (c *Fake) InvokesWatch(action Action) (watch.Interface, error) {
	c.reacting.Lock()
	defer c.reacting.Unlock()
	chain := record(c, action, func() []WatchReactor { return c.WatchReactionChain })
	shown := action.DeepCopy()
	for _, reactor := range chain {
		if !reactor.Handles(shown) {
			continue
		}
		if handled, answer, err := reactor.React(shown); handled {
			return answer, err
		}
	}
	return nil, fmt.Errorf("unhandled watch: no watch reactor handles %#v", action)
}

// InvokesProxy records action and returns the answer of the first proxy reactor
// that handles it without an error, or nil if there is none.
func (c *Fake) InvokesProxy(action Action) restclient.ResponseWrapper {
	c.reacting.Lock()
	defer c.reacting.Unlock()
	chain := record(c, action, func() []ProxyReactor { return c.ProxyReactionChain })
	shown := action.DeepCopy()
	for _, reactor := range chain {
		if !reactor.Handles(shown) {
			continue
		}
		if handled, answer, err := reactor.React(shown); handled && err == nil {
			return answer
		}
	}
	return nil
}

// record keeps a copy of action, and returns the chain as it is then.
func record[R any](c *Fake, action Action, chain func() []R) []R {
	c.Lock()
	defer c.Unlock()
	c.actions = append(c.actions, action.DeepCopy())
	return chain()
}

// Actions returns the actions so far, in the order of the requests.
func (c *Fake) Actions() []Action {
	c.RLock()
	defer c.RUnlock()
	return append(make([]Action, 0, len(c.actions)), c.actions...)
}

// ClearActions forgets the actions so far. The reactors stay.
func (c *Fake) ClearActions() {
	c.Lock()
	defer c.Unlock()
	c.actions = nil
}

// FakeClient is what fake clientsets have in common.
type FakeClient interface {
	// Tracker returns the tracker that the clientset answers from.
	Tracker() ObjectTracker

	// AddReactor has reaction asked after the reactors there are.
	AddReactor(verb, resource string, reaction ReactionFunc)

	// PrependReactor has reaction asked before the reactors there are.
	PrependReactor(verb, resource string, reaction ReactionFunc)

	// AddWatchReactor has reaction asked after the watch reactors there are.
	AddWatchReactor(resource string, reaction WatchReactionFunc)

	// PrependWatchReactor has reaction asked before the watch reactors there
	// are.
	PrependWatchReactor(resource string, reaction WatchReactionFunc)

	// AddProxyReactor has reaction asked after the proxy reactors there are.
	AddProxyReactor(resource string, reaction ProxyReactionFunc)

	// PrependProxyReactor has reaction asked before the proxy reactors there
	// are.
	PrependProxyReactor(resource string, reaction ProxyReactionFunc)

	// Invokes records action and has it answered, by defaultReturnObj if no
	// reactor handles it.
	Invokes(action Action, defaultReturnObj runtime.Object) (runtime.Object, error)

	// InvokesWatch records action and has it answered by a watch reactor.
	InvokesWatch(action Action) (watch.Interface, error)

	// InvokesProxy records action and has it answered by a proxy reactor.
	InvokesProxy(action Action) restclient.ResponseWrapper

	// ClearActions forgets the actions so far.
	ClearActions()

	// Actions returns the actions so far, in the order of the requests.
	Actions() []Action
}
