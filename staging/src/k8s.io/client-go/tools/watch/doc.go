// Package watch waits for something to happen to objects of the API.
//
// There are three functions to wait with. They differ in what becomes of them when
// a watch ends early:
//
//   - [UntilWithSync] lists and watches by way of an informer. It survives
//     everything, also an expired resource version. It may miss states in between,
//     but not that something has changed. It is what most programs want.
//   - [Until] goes on where a watch ended, by way of a [RetryWatcher]. It sees all
//     events in their order, from a resource version on, and fails when the server
//     no longer knows that.
//   - [UntilWithoutRetry] looks at the events of a single watch and fails when that
//     ends, as watches do after some minutes.
package watch
