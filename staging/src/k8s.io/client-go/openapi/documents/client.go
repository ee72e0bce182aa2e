package documents

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
)

const rootPath = "/openapi/v3"

// ContentTypeOpenAPIV3PB asks for a document as a protobuf message of gnostic's
// openapi.v3.Document. It is smaller than JSON, but drops what only Kubernetes
// has in its schemas.
const ContentTypeOpenAPIV3PB = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"

// Client knows which documents there are.
type Client interface {
	// Paths returns the documents by the paths of what they describe, without
	// a leading slash: "api/v1", "apis/apps/v1", and also "version".
	Paths() (map[string]GroupVersion, error)
}

// GroupVersion is one document.
type GroupVersion interface {
	// Schema fetches the document: contentType is "application/json" or
	// ContentTypeOpenAPIV3PB. The bytes may be shared, and must not be changed.
	Schema(contentType string) ([]byte, error)

	// ServerRelativeURL returns the path and query from where Schema fetches
	// the document. The query has a hash of it: as long as the URL stays the
	// same, so does the document.
	ServerRelativeURL() string
}

// NewClient returns a client that goes to the server at every call.
func NewClient(restClient rest.Interface) Client {
	return client{restClient}
}

type client struct{ rest rest.Interface }

func (c client) Paths() (map[string]GroupVersion, error) {
	body, err := c.rest.Get().AbsPath(rootPath).Do(context.Background()).Raw()
	if err != nil {
		return nil, err
	}
	var root struct {
		Paths map[string]struct {
			ServerRelativeURL string `json:"serverRelativeURL"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(body, &root); err != nil {
		return nil, fmt.Errorf("unable to parse what the server serves at %s: %w", rootPath, err)
	}
	paths := make(map[string]GroupVersion, len(root.Paths))
	for path, at := range root.Paths {
		paths[path] = document{c.rest, at.ServerRelativeURL}
	}
	return paths, nil
}

type document struct {
	rest rest.Interface
	url  string
}

func (d document) ServerRelativeURL() string { return d.url }

func (d document) Schema(contentType string) ([]byte, error) {
	at, err := url.Parse(d.url)
	if err != nil {
		return nil, fmt.Errorf("unable to parse where the OpenAPI v3 document is: %w", err)
	}
	// A proxy may serve the server below a path of its own. The client's
	// requests begin with it, but URLs from the server do not, unless the
	// server was told.
	proxy := strings.TrimSuffix(d.rest.Get().AbsPath("/").URL().Path, "/")
	path := at.Path
	if below, ok := strings.CutPrefix(path, proxy+"/"); ok {
		path = "/" + below
	}
	request := d.rest.Get().AbsPath(path)
	for name, values := range at.Query() {
		for _, value := range values {
			request = request.Param(name, value)
		}
	}
	return request.SetHeader("Accept", contentType).Do(context.Background()).Raw()
}
