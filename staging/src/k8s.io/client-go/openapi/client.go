package openapi

import (
	"k8s.io/client-go/openapi/documents"
	"k8s.io/client-go/rest"
)

// ContentTypeOpenAPIV3PB asks for a document as a protobuf message of gnostic's
// openapi.v3.Document. It is smaller than JSON, but drops what only Kubernetes
// has in its schemas.
const ContentTypeOpenAPIV3PB = documents.ContentTypeOpenAPIV3PB

// The types are aliases of those in package documents, which has all but
// [NewTypeConverter] and is what package discovery links.
type (
	// Client knows which documents there are.
	//
	//	Paths() (map[string]GroupVersion, error)
	//
	// Paths returns the documents by the paths of what they describe, without a
	// leading slash: "api/v1", "apis/apps/v1", and also "version".
	//
	// # Fields and methods
	//
	//	Paths() (map[string]documents.GroupVersion, error)
	Client = documents.Client

	// GroupVersion is one document.
	//
	//	Schema(contentType string) ([]byte, error)
	//	ServerRelativeURL() string
	//
	// Schema fetches the document: contentType is "application/json" or
	// [ContentTypeOpenAPIV3PB]. The bytes may be shared, and must not be changed.
	//
	// ServerRelativeURL returns the path and query from where Schema fetches the
	// document. The query has a hash of it: as long as the URL stays the same, so
	// does the document.
	//
	// # Fields and methods
	//
	//	Schema(contentType string) ([]byte, error)
	//	ServerRelativeURL() string
	GroupVersion = documents.GroupVersion
)

// NewClient returns a client that goes to the server at every call.
func NewClient(restClient rest.Interface) Client { return documents.NewClient(restClient) }
