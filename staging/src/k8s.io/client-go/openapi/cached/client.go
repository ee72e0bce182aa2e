// Package cached remembers the OpenAPI v3 documents of a server.
package cached

import (
	"maps"
	"sync"

	"k8s.io/client-go/openapi/documents"
)

// NewClient returns a client that asks other for each thing once: for the
// paths, and for each document in each of its forms. Whoever asks meanwhile
// waits for the answer. There is no expiry, but failures are not remembered:
// the next call tries again.
func NewClient(other documents.Client) documents.Client {
	return &client{other: other}
}

type client struct {
	other documents.Client

	mu    sync.Mutex
	paths map[string]documents.GroupVersion
}

func (c *client) Paths() (map[string]documents.GroupVersion, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paths == nil {
		paths, err := c.other.Paths()
		if err != nil {
			return nil, err
		}
		remembered := make(map[string]documents.GroupVersion, len(paths))
		for path, gv := range paths {
			remembered[path] = &document{other: gv}
		}
		c.paths = remembered
	}
	// The map is the caller's; the documents in it are everybody's.
	return maps.Clone(c.paths), nil
}

type document struct {
	other documents.GroupVersion

	mu    sync.Mutex
	forms map[string]*form
}

// A form has a lock of its own: who waits for JSON need not wait for protobuf.
type form struct {
	mu    sync.Mutex
	known bool
	body  []byte
}

func (d *document) ServerRelativeURL() string { return d.other.ServerRelativeURL() }

func (d *document) Schema(contentType string) ([]byte, error) {
	f := d.form(contentType)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known {
		return f.body, nil
	}
	body, err := d.other.Schema(contentType)
	if err != nil {
		return nil, err
	}
	f.body, f.known = body, true
	return body, nil
}

func (d *document) form(contentType string) *form {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, ok := d.forms[contentType]
	if !ok {
		if d.forms == nil {
			d.forms = map[string]*form{}
		}
		f = &form{}
		d.forms[contentType] = f
	}
	return f
}
