// Package openapi fetches a server's OpenAPI v3 documents. It is package
// [k8s.io/client-go/openapi] without the conversion of types, which links what
// server-side apply works with; package discovery, and so every clientset, links
// this one.
package openapi
