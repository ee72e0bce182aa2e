package openapitest

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/openapi"
)

// FakeClient serves the documents in PathsMap.
type FakeClient struct {
	// PathsMap is what Paths returns.
	PathsMap map[string]openapi.GroupVersion
	// ForcedErr, if it is set, is what Paths fails with.
	ForcedErr error
}

// NewFakeClient returns a client without documents.
func NewFakeClient() *FakeClient {
	return &FakeClient{PathsMap: map[string]openapi.GroupVersion{}}
}

// Paths returns ForcedErr or else PathsMap, which is never nil.
func (f FakeClient) Paths() (map[string]openapi.GroupVersion, error) {
	switch {
	case f.ForcedErr != nil:
		return nil, f.ForcedErr
	case f.PathsMap == nil:
		return map[string]openapi.GroupVersion{}, nil
	}
	return f.PathsMap, nil
}

// FakeGroupVersion is a document.
type FakeGroupVersion struct {
	// GVSpec is the document, in JSON.
	GVSpec []byte
	// ForcedErr, if it is set, is what Schema fails with.
	ForcedErr error
}

// Schema returns ForcedErr or else GVSpec. It is an error to ask for anything
// but JSON.
func (f FakeGroupVersion) Schema(contentType string) ([]byte, error) {
	if f.ForcedErr != nil {
		return nil, f.ForcedErr
	}
	if err := onlyJSON(contentType); err != nil {
		return nil, err
	}
	return f.GVSpec, nil
}

// ServerRelativeURL returns the empty string: the document is nowhere.
func (f FakeGroupVersion) ServerRelativeURL() string { return "" }

func onlyJSON(contentType string) error {
	if contentType == runtime.ContentTypeJSON {
		return nil
	}
	return fmt.Errorf("the test document is there as %s only, not as %q", runtime.ContentTypeJSON, contentType)
}
