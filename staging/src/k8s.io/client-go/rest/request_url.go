package rest

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// URL returns the URL as it is now. It means something only if Error returns nil.
func (r *Request) URL() *url.URL {
	u := *r.c.base
	u.Path = r.path()
	u.RawQuery = r.query()
	return &u
}

func (r *Request) path() string {
	size := len(r.prefix)
	segment := func(s string) {
		if s != "" {
			size += 1 + len(s)
		}
	}
	inNamespace := r.namespaceSet && r.namespace != ""
	if inNamespace {
		segment("namespaces")
		segment(r.namespace)
	}
	resource := strings.ToLower(r.resource)
	segment(resource)
	segment(r.name)
	segment(r.subresource)
	segment(r.suffix)
	if size == len(r.prefix) {
		return r.prefix // perhaps with a slash at its end
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(strings.TrimSuffix(r.prefix, "/"))
	add := func(s string) {
		if s != "" {
			b.WriteByte('/')
			b.WriteString(s)
		}
	}
	if inNamespace {
		add("namespaces")
		add(r.namespace)
	}
	add(resource)
	add(r.name)
	add(r.subresource)
	if strings.HasPrefix(r.suffix, ".") || strings.HasPrefix(r.suffix, "/") {
		if b.Len() == 0 { // from the root, above which there is nothing
			return path.Join(r.prefix, r.suffix)
		}
		return path.Join(b.String(), r.suffix) // it may lead upwards
	}
	add(r.suffix)
	return b.String()
}

// params are the parameters of a query, ordered by name; those of one name are in
// the order in which they were added.
type params []param

type param struct{ name, value string }

// with adds a parameter behind those of its name.
func (p params) with(name, value string) params {
	p = append(p, param{name, value})
	for i := len(p) - 1; i > 0 && p[i-1].name > p[i].name; i-- {
		p[i-1], p[i] = p[i], p[i-1]
	}
	return p
}

// query encodes the parameters, ordered by name.
func (r *Request) query() string {
	params := r.params
	if r.timeout != 0 {
		// The timeout that is kept is the one that is told.
		params = slices.DeleteFunc(slices.Clone(params), func(p param) bool { return p.name == "timeout" })
		params = params.with("timeout", r.timeout.String())
	}
	size := 0
	for _, p := range params {
		size += len(p.name) + len(p.value) + 2 // more if there is something to escape
	}
	if size == 0 {
		return ""
	}
	var b strings.Builder
	b.Grow(size)
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(p.value))
	}
	return b.String()
}
