// Package openapitest has OpenAPI clients for tests, which need no server.
//
//   - [NewEmbeddedFileClient] serves the schemas of some built-in kinds, which
//     are part of this package.
//   - [NewFileClient] serves the files of a directory, such as
//     api/openapi-spec/v3 of the Kubernetes repository.
//   - [NewFakeClient] serves what the test puts into it, and fails on request.
//
// The embedded schemas are made from the Go types of k8s.io/api. They have all
// fields with their types and descriptions, what identifies the elements of
// lists, and the kinds; but of the operations a server has they name only those
// on one object: reading, replacing, patching and deleting it, with the query
// parameters of each.
package openapitest

//go:generate go run ./internal/generate testdata
