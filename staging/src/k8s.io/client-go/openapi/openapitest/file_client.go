package openapitest

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"k8s.io/client-go/openapi"
)

//go:embed testdata/*_openapi.json
var embedded embed.FS

// NewEmbeddedFileClient returns a client of the documents of api/v1,
// apis/apps/v1, apis/batch/v1, apis/discovery.k8s.io/v1 and
// apis/networking.k8s.io/v1. The package comment says what is in them.
func NewEmbeddedFileClient() openapi.Client {
	files, err := fs.Sub(embedded, "testdata")
	if err != nil {
		panic(err) // the name is well-formed
	}
	return fileClient{files, "the embedded files"}
}

// NewFileClient returns a client of the documents in a directory. The file of
// apis/apps/v1 is apis__apps__v1_openapi.json. Other files are ignored.
func NewFileClient(path string) openapi.Client {
	return fileClient{os.DirFS(path), path}
}

type fileClient struct {
	files fs.FS
	name  string
}

const suffix = "_openapi.json"

func (c fileClient) Paths() (map[string]openapi.GroupVersion, error) {
	entries, err := fs.ReadDir(c.files, ".")
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", c.name, err)
	}
	paths := make(map[string]openapi.GroupVersion, len(entries))
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), suffix); ok && !entry.IsDir() {
			paths[strings.ReplaceAll(name, "__", "/")] = file{c, entry.Name()}
		}
	}
	return paths, nil
}

type file struct {
	client fileClient
	name   string
}

func (f file) Schema(contentType string) ([]byte, error) {
	if err := onlyJSON(contentType); err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(f.client.files, f.name)
	if err != nil {
		return nil, fmt.Errorf("reading from %s: %w", f.client.name, err)
	}
	return data, nil
}

// ServerRelativeURL returns the name of the file, which identifies the
// document as well as a URL.
func (f file) ServerRelativeURL() string { return f.name }
