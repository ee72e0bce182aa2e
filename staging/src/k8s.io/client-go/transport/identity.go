package transport

import (
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// These headers ask an API server to act for someone else. Their names are part
// of its API, as are those of k8s.io/api/authentication/v1.
const (
	// ImpersonateUserHeader names the user.
	ImpersonateUserHeader = "Impersonate-User"

	// ImpersonateUIDHeader has the user's identifier.
	ImpersonateUIDHeader = "Impersonate-Uid"

	// ImpersonateGroupHeader names a group of the user's. There can be any
	// number of them.
	ImpersonateGroupHeader = "Impersonate-Group"

	// ImpersonateUserExtraHeaderPrefix begins the names of headers for what
	// else is known of the user. The rest of a name is the key, and each
	// header of that name has a value of it.
	ImpersonateUserExtraHeaderPrefix = "Impersonate-Extra-"
)

// These headers tell an API server whom a proxy in front of it has
// authenticated.
const (
	remoteUser        = "X-Remote-User"
	remoteUID         = "X-Remote-Uid"
	remoteGroup       = "X-Remote-Group"
	remoteExtraPrefix = "X-Remote-Extra-"
)

// NewImpersonatingRoundTripper returns a round tripper that sends requests
// through delegate on behalf of who impersonate says, unless they name a user
// themselves. Keys of Extra reach the server in lower case.
func NewImpersonatingRoundTripper(impersonate ImpersonationConfig, delegate http.RoundTripper) http.RoundTripper {
	user := []string{impersonate.UserName}
	uid := impersonate.UID
	groups := slices.Clone(impersonate.Groups)
	extra := extraHeaders(ImpersonateUserExtraHeaderPrefix, impersonate.Extra)
	return decorate(delegate, decorator{unless: ImpersonateUserHeader, add: func(h http.Header) {
		h[ImpersonateUserHeader] = user
		if uid != "" {
			h.Set(ImpersonateUIDHeader, uid)
		}
		addValues(h, ImpersonateGroupHeader, groups)
		for _, header := range extra {
			addValues(h, header.name, header.values)
		}
	}})
}

// NewAuthProxyRoundTripper returns a round tripper for a proxy that has
// authenticated someone: see SetAuthProxyHeaders.
func NewAuthProxyRoundTripper(username, uid string, groups []string, extra map[string][]string, rt http.RoundTripper) http.RoundTripper {
	return decorate(rt, decorator{add: func(h http.Header) {
		setRemote(h, username, uid, groups, extra)
	}})
}

// SetAuthProxyHeaders sets the headers of req that tell the server whom a proxy
// has authenticated, and removes all such headers that it had. Keys of extra
// must be in lower case: so they reach the server.
func SetAuthProxyHeaders(req *http.Request, username, uid string, groups []string, extra map[string][]string) {
	setRemote(req.Header, username, uid, groups, extra)
}

func setRemote(h http.Header, username, uid string, groups []string, extra map[string][]string) {
	// Whoever sent the request must not be able to say who they are.
	for name := range h {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case canonical == remoteUser, canonical == remoteUID, canonical == remoteGroup,
			strings.HasPrefix(canonical, remoteExtraPrefix):
			delete(h, name)
		}
	}
	h[remoteUser] = []string{username}
	if uid != "" {
		h[remoteUID] = []string{uid}
	}
	addValues(h, remoteGroup, groups)
	for _, header := range extraHeaders(remoteExtraPrefix, extra) {
		addValues(h, header.name, header.values)
	}
}

type header struct {
	name   string
	values []string
}

// extraHeaders returns the headers for extra, in the order of their keys: two
// keys can come to the same name.
func extraHeaders(prefix string, extra map[string][]string) []header {
	var headers []header
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		name := textproto.CanonicalMIMEHeaderKey(prefix + escapeHeaderKey(key))
		headers = append(headers, header{name, slices.Clone(extra[key])})
	}
	return headers
}

// addValues appends to a header. The values it has are not touched: whoever
// made the request may have them still.
func addValues(h http.Header, name string, values []string) {
	switch has := h[name]; {
	case len(values) == 0:
	case len(has) == 0:
		h[name] = slices.Clip(values)
	default:
		h[name] = slices.Concat(has, values)
	}
}

// escapeHeaderKey encodes key, as in a URL, so that it can be part of a header's
// name. The server decodes it.
func escapeHeaderKey(key string) string {
	const hex = "0123456789ABCDEF"
	var escaped strings.Builder
	for _, b := range []byte(key) {
		if inHeaderKey(b) {
			escaped.WriteByte(b)
		} else {
			escaped.Write([]byte{'%', hex[b>>4], hex[b&15]})
		}
	}
	return escaped.String()
}

// inHeaderKey reports whether b stands for itself. That is what RFC 9110,
// section 5.6.2 calls tchar, without the sign for an escape.
func inHeaderKey(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	}
	return strings.IndexByte("!#$&'*+-.^_`|~", b) >= 0
}
