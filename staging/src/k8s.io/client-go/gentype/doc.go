// Package gentype is what generated clientsets are made of: the verbs of the
// Kubernetes API for one resource, typed by type parameters. Programs use it
// through a clientset; write against it directly to get a typed client for a
// resource of one's own without a code generator.
//
// # Choosing a client
//
// What a resource supports decides which constructor fits:
//
//   - [NewClient]: get, create, update, delete, patch and watch.
//   - [NewClientWithList] adds List and DeleteCollection.
//   - [NewClientWithApply] adds server-side apply.
//   - [NewClientWithListAndApply] has all of them.
//
// The functions whose names start with NewFake return clients with the same
// methods that record actions on a [k8s.io/client-go/testing.Fake] and are
// answered by its reactors.
//
// # Type parameters
//
// T is the pointer to the resource's Go type, such as *corev1.Pod. L is the
// pointer to its list, and C the pointer to its apply configuration.
//
// # Results and errors
//
// Where a request fails, the object that comes back next to the error is
// empty, yet not nil, except that a call to Apply whose configuration is
// unusable returns nil. Errors of the server are those of
// [k8s.io/apimachinery/pkg/api/errors].
//
// # Cost
//
// A clientset has a client for each of 70 resources and more. So the methods
// with type parameters only make the object to decode into and convert types;
// the work is in functions that are compiled once. Options that are all zero
// cost nothing: they would add no query parameter.
package gentype
