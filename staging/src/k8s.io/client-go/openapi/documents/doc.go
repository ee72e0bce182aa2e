// Package documents fetches a server's OpenAPI v3 documents. It is package
// [k8s.io/client-go/openapi] without the conversion of types, which links what
// server-side apply works with; package discovery, and so every clientset, links
// this one.
//
// Programs say openapi.Client, which is the same type. This package is not internal
// because a mock of discovery.DiscoveryInterface that is generated imports it.
package documents
