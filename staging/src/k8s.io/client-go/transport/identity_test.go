package transport

import (
	"net/url"
	"testing"
)

func FuzzHeaderKeyIsEscapedAndComesBack(f *testing.F) {
	for _, key := range []string{"", "scopes", "example.com/a b%c", "ü\x00\xff", "%2F", "a:b"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		escaped := escapeHeaderKey(key)
		for _, b := range []byte(escaped) {
			if b != '%' && !inHeaderKey(b) {
				t.Errorf("%q has %q in it, which a name cannot have", escaped, b)
			}
		}
		if back, err := url.PathUnescape(escaped); err != nil || back != key {
			t.Errorf("%q came back as %q, %v", key, back, err)
		}
	})
}
