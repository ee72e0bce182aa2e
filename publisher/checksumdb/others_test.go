package checksumdb_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"k8s.io/publisher/checksumdb"
)

func TestOthersExceptsAllButSome(t *testing.T) {
	ours := []string{"k8s.io/client-go", "k8s.io/sample-controller", "k8s.io/client"}
	patterns := checksumdb.Others(ours...)
	for path, want := range map[string]bool{
		"k8s.io/client-go": false, "k8s.io/client": false, "k8s.io/client-go/v2": false, "k8s.io/sample-controller": false,
		"k8s.io/api": true, "k8s.io/client-gen": true, "k8s.io/client-go2": true, "k8s.io/sample": true, "k8s.io/klog/v2": true,
		"golang.org/x/mod": true, "github.com/google/go-cmp": true, "k8s.io.example.org/client-go": true, "sigs.k8s.io/yaml": true, "k8s.iox/client-go": true,
	} {
		if got := module.MatchPrefixPatterns(patterns, path); got != want {
			t.Errorf("that %s is excepted: %t, by %s", path, got, patterns)
		}
	}
}

func TestOthersOnRandomPaths(t *testing.T) {
	element := func() string {
		b := make([]byte, 1+rand.IntN(3))
		for i := range b {
			b[i] = "ab-.~"[rand.IntN(5)]
		}
		return string(b)
	}
	path := func() string {
		elements := make([]string, 1+rand.IntN(3))
		for i := range elements {
			elements[i] = element()
		}
		return strings.Join(elements, "/")
	}
	for range 2000 {
		ours := make([]string, 1+rand.IntN(4))
		for i := range ours {
			ours[i] = path()
		}
		patterns := checksumdb.Others(ours...)
		for range 20 {
			p := path()
			isOurs := slices.ContainsFunc(ours, func(o string) bool { return p == o || strings.HasPrefix(p, o+"/") })
			above := slices.ContainsFunc(ours, func(o string) bool { return strings.HasPrefix(o, p+"/") })
			if got := module.MatchPrefixPatterns(patterns, p); !above && got == isOurs {
				t.Fatalf("of %q, that %q is excepted: %t, by %s", ours, p, got, patterns)
			}
		}
	}
}
