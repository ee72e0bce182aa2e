package testing

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	restclient "k8s.io/client-go/rest"
)

// A Reactor answers actions.
type Reactor interface {
	// Handles tells whether the reactor is to be asked about action.
	Handles(action Action) bool
	// React answers action, or passes it on by returning handled as false.
	React(action Action) (handled bool, ret runtime.Object, err error)
}

// A WatchReactor answers requests for a watch.
type WatchReactor interface {
	// Handles tells whether the reactor is to be asked about action.
	Handles(action Action) bool
	// React answers action, or passes it on by returning handled as false.
	React(action Action) (handled bool, ret watch.Interface, err error)
}

// A ProxyReactor answers requests to a pod or service by way of the API server.
type ProxyReactor interface {
	// Handles tells whether the reactor is to be asked about action.
	Handles(action Action) bool
	// React answers action, or passes it on by returning handled as false.
	React(action Action) (handled bool, ret restclient.ResponseWrapper, err error)
}

// A ReactionFunc answers an action, or passes it on by returning handled as
// false; the other results then do not count. It can tell apart requests for
// subresources by the action's GetSubresource.
type ReactionFunc func(action Action) (handled bool, ret runtime.Object, err error)

// A WatchReactionFunc answers a request for a watch, or passes it on by
// returning handled as false.
type WatchReactionFunc func(action Action) (handled bool, ret watch.Interface, err error)

// A ProxyReactionFunc answers a request to a pod or service, or passes it on by
// returning handled as false.
type ProxyReactionFunc func(action Action) (handled bool, ret restclient.ResponseWrapper, err error)

// covers tells whether a reactor for pattern is one for what action is about.
func covers(pattern string, action Action) bool {
	resource := action.GetResource().Resource
	if pattern == "*" || pattern == resource {
		return true
	}
	parent, subresource, ok := strings.Cut(pattern, "/")
	return ok && parent == resource && subresource == action.GetSubresource()
}

// A SimpleReactor asks a function about the actions with a verb and a resource.
// Either may be "*", which stands for all. A resource stands for its
// subresources too; "pods/status" is that one only.
type SimpleReactor struct {
	Verb     string
	Resource string

	Reaction ReactionFunc
}

// Handles tells whether the reactor is for actions like this.
func (r *SimpleReactor) Handles(action Action) bool {
	return (r.Verb == "*" || r.Verb == action.GetVerb()) && covers(r.Resource, action)
}

// React returns the results of the function.
func (r *SimpleReactor) React(action Action) (bool, runtime.Object, error) {
	return r.Reaction(action)
}

// A SimpleWatchReactor asks a function about watches of a resource, or of all
// resources if that is "*".
type SimpleWatchReactor struct {
	Resource string

	Reaction WatchReactionFunc
}

// Handles tells whether the reactor is for actions like this.
func (r *SimpleWatchReactor) Handles(action Action) bool { return covers(r.Resource, action) }

// React returns the results of the function.
func (r *SimpleWatchReactor) React(action Action) (bool, watch.Interface, error) {
	return r.Reaction(action)
}

// A SimpleProxyReactor asks a function about requests to instances of a
// resource, or of all resources if that is "*".
type SimpleProxyReactor struct {
	Resource string

	Reaction ProxyReactionFunc
}

// Handles tells whether the reactor is for actions like this.
func (r *SimpleProxyReactor) Handles(action Action) bool { return covers(r.Resource, action) }

// React returns the results of the function.
func (r *SimpleProxyReactor) React(action Action) (bool, restclient.ResponseWrapper, error) {
	return r.Reaction(action)
}

// DefaultWatchReactor returns a function that answers all requests for a watch
// with the same one, and with err.
func DefaultWatchReactor(watchInterface watch.Interface, err error) WatchReactionFunc {
	return func(Action) (bool, watch.Interface, error) {
		return true, watchInterface, err
	}
}
