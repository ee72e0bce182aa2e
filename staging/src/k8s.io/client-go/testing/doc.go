// Package testing is what fake clientsets are made of: it records what a
// program asks of the API, and answers from memory.
//
// # The parts
//
// An [Action] is one request as a value: a verb, a resource, a namespace, and
// what else the verb needs. [Fake] keeps the actions it was given and answers
// each with the first [Reactor] in its chain that is willing to. The reactor
// that fake clientsets put at the end of the chain is [ObjectReaction], which
// answers from an [ObjectTracker], a map of objects that can be watched.
//
// A test usually starts with a fake clientset, puts objects into it, runs the
// code, and looks at Actions or at the objects left:
//
//	client := fake.NewClientset(pod)
//	client.PrependReactor("delete", "pods", func(testing.Action) (bool, runtime.Object, error) {
//		return true, nil, errors.New("the server is on fire")
//	})
//
// # What it does not do
//
// The tracker is a store, not an API server. It does not set defaults, does not
// validate, does not make up names, UIDs or resource versions for objects, does
// not compare resource versions on update, ignores dry run, and treats a
// subresource as its parent: an update of the status is an update. Lists and
// watches are by namespace. Label selectors are for the caller to apply (fake
// clientsets do so for lists), and field selectors are not applied at all.
// Where a test depends on any of these, it is better run against a real API
// server.
package testing
