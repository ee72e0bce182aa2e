// Package openapi3 looks up OpenAPI v3 documents by group and version:
//
//	root := openapi3.NewRoot(discoveryClient.OpenAPIV3())
//	apps, err := root.GVSpec(schema.GroupVersion{Group: "apps", Version: "v1"})
//
// A root asks its client anew at every call. Over a client of package
// k8s.io/client-go/openapi/cached that costs no request.
package openapi3

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/openapi"
	"k8s.io/kube-openapi/pkg/spec3"
)

// Root is the root of a server's documents.
type Root interface {
	// GroupVersions returns the versions that have a document, sorted
	// as they are written in a manifest: "apps/v1" before "v1".
	GroupVersions() ([]schema.GroupVersion, error)
	// GVSpec returns the document of a version. If there is none the error is
	// a GroupVersionNotFoundError.
	GVSpec(gv schema.GroupVersion) (*spec3.OpenAPI, error)
	// GVSpecAsMap is GVSpec with the document as plain JSON values.
	GVSpecAsMap(gv schema.GroupVersion) (map[string]interface{}, error)
}

// NewRoot returns a root of the documents that client has.
func NewRoot(client openapi.Client) Root { return root{client} }

// GroupVersionNotFoundError says that the server has no document for a
// version.
type GroupVersionNotFoundError struct {
	gv schema.GroupVersion
}

// Error names the version.
func (r *GroupVersionNotFoundError) Error() string {
	return fmt.Sprintf("GroupVersion (%s) not found as OpenAPI V3 path", r.gv)
}

type root struct{ client openapi.Client }

func (r root) GroupVersions() ([]schema.GroupVersion, error) {
	paths, err := r.client.Paths()
	if err != nil {
		return nil, err
	}
	found := make([]schema.GroupVersion, 0, len(paths))
	for path := range paths {
		if gv, ok := versionAt(path); ok {
			found = append(found, gv)
		}
	}
	slices.SortFunc(found, func(a, b schema.GroupVersion) int {
		return strings.Compare(a.String(), b.String())
	})
	return found, nil
}

func (r root) GVSpec(gv schema.GroupVersion) (*spec3.OpenAPI, error) {
	document := new(spec3.OpenAPI)
	if err := r.decode(gv, document); err != nil {
		return nil, err
	}
	return document, nil
}

func (r root) GVSpecAsMap(gv schema.GroupVersion) (map[string]interface{}, error) {
	var document map[string]interface{}
	if err := r.decode(gv, &document); err != nil {
		return nil, err
	}
	return document, nil
}

func (r root) decode(gv schema.GroupVersion, into any) error {
	paths, err := r.client.Paths()
	if err != nil {
		return err
	}
	at, ok := paths[pathOf(gv)]
	if !ok {
		return &GroupVersionNotFoundError{gv}
	}
	body, err := at.Schema(runtime.ContentTypeJSON)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("unable to parse the OpenAPI v3 document of %s: %w", gv, err)
	}
	return nil
}

// pathOf returns the path of a version, as the keys of Paths are.
func pathOf(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "api/" + gv.Version
	}
	return "apis/" + gv.Group + "/" + gv.Version
}

// versionAt is the reverse of pathOf. Paths of other things have no version.
func versionAt(path string) (schema.GroupVersion, bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case len(parts) == 2 && parts[0] == "api" && parts[1] != "":
		return schema.GroupVersion{Version: parts[1]}, true
	case len(parts) == 3 && parts[0] == "apis" && parts[1] != "" && parts[2] != "":
		return schema.GroupVersion{Group: parts[1], Version: parts[2]}, true
	}
	return schema.GroupVersion{}, false
}
