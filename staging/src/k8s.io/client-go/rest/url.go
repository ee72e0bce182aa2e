package rest

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// DefaultServerURL returns the URL of a server, and the path below it of the API of
// groupVersion. Host is a URL, or a host with or without a port; defaultTLS says whether it is https
// where host does not.
func DefaultServerURL(host, apiPath string, groupVersion schema.GroupVersion, defaultTLS bool) (*url.URL, string, error) {
	if host == "" {
		return nil, "", errors.New("host must be a URL or a host:port pair")
	}
	base, err := url.Parse(host)
	if err != nil || base.Scheme == "" || base.Host == "" {
		scheme := "http"
		if defaultTLS {
			scheme = "https"
		}
		if base, err = url.Parse(scheme + "://" + host); err != nil {
			return nil, "", err
		}
		if base.Path != "" && base.Path != "/" {
			return nil, "", fmt.Errorf("host must be a URL or a host:port pair: %q", host)
		}
	}
	return base, DefaultVersionedAPIPath(apiPath, groupVersion), nil
}

// DefaultVersionedAPIPath returns the path of the API of groupVersion below apiPath. The
// group is left out if it is the empty one, and all of it if groupVersion is empty.
func DefaultVersionedAPIPath(apiPath string, groupVersion schema.GroupVersion) string {
	return path.Join("/", apiPath, groupVersion.Group, groupVersion.Version)
}

// DefaultServerUrlFor returns the URL of the server of config, and the path below it of
// the API. The host is localhost if there is none; it is https where config has anything about
// TLS.
func DefaultServerUrlFor(config *Config) (*url.URL, string, error) {
	host := config.Host
	if host == "" {
		host = "localhost"
	}
	var gv schema.GroupVersion
	if config.GroupVersion != nil {
		gv = *config.GroupVersion
	}
	tls := &config.TLSClientConfig
	anyTLS := tls.Insecure ||
		tls.CAFile != "" || len(tls.CAData) != 0 ||
		tls.CertFile != "" || len(tls.CertData) != 0
	return DefaultServerURL(host, config.APIPath, gv, anyTLS)
}

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

// NameMayNotBe are the strings that cannot be a name, as they mean something else in a
// path.
var NameMayNotBe = []string{".", ".."}

// NameMayNotContain are the strings that a name cannot contain, as they would end the
// segment of the path or change its meaning.
var NameMayNotContain = []string{"/", "%"}

// IsValidPathSegmentName returns what is wrong with name as a segment of a path, in words,
// or nothing.
func IsValidPathSegmentName(name string) []string {
	if slices.Contains(NameMayNotBe, name) {
		return []string{"may not be '" + name + "'"}
	}
	return IsValidPathSegmentPrefix(name)
}

// IsValidPathSegmentPrefix returns what is wrong with name as the beginning of a segment
// of a path, in words, or nothing. More may come after it, so "." is fine.
func IsValidPathSegmentPrefix(name string) []string {
	var wrong []string
	for _, part := range NameMayNotContain {
		if strings.Contains(name, part) {
			wrong = append(wrong, "may not contain '"+part+"'")
		}
	}
	return wrong
}

// ValidatePathSegmentName is IsValidPathSegmentPrefix if prefix is true, else
// IsValidPathSegmentName.
func ValidatePathSegmentName(name string, prefix bool) []string {
	if !prefix {
		return IsValidPathSegmentName(name)
	}
	return IsValidPathSegmentPrefix(name)
}
