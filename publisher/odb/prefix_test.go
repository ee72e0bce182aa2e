package odb

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/object"
)

// TestPrefixesAreThoseOfGit compares with git rev-parse --disambiguate, with
// objects in packs, loose, and both.
func TestPrefixesAreThoseOfGit(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.history(40)
	r.git(nil, nil, "repack", "-a", "-d", "-q")
	for _, text := range []string{"one", "two", "three"} {
		r.git([]byte(text), nil, "hash-object", "-w", "--stdin")
	}
	// In a pack and loose.
	both := strings.Fields(string(r.git(nil, nil, "rev-parse", "main")))[0]
	content := r.git(nil, nil, "cat-file", "commit", both)
	pack := r.git(nil, nil, "count-objects", "-v")
	r.git(content, nil, "hash-object", "-w", "-t", "commit", "--stdin")
	store, err := Open(r.objects())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var all []object.ID
	for line := range strings.Lines(string(r.git(nil, nil, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))) {
		id, err := object.ParseID([]byte(strings.TrimSpace(line)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, id)
	}
	if len(all) < 50 || !strings.Contains(string(pack), "packs: 1\n") {
		t.Fatalf("there are %d objects and %s", len(all), pack)
	}
	for i, id := range all {
		for _, digits := range []string{"", id.String()[:1], id.String()[:2], id.String()[:5], id.String(), strings.ToUpper(id.String())} {
			if len(digits) < 5 && i > 20 {
				continue
			}
			var want []object.ID
			for _, other := range all {
				if strings.HasPrefix(other.String(), strings.ToLower(digits)) {
					want = append(want, other)
				}
			}
			if len(digits) == 5 && i < 5 { // Git asks for 4 digits at least.
				theirs := strings.Fields(string(r.git(nil, nil, "rev-parse", "--disambiguate="+digits)))
				if len(theirs) != len(want) {
					t.Fatalf("%s: git finds %q, want %v", digits, theirs, want)
				}
			}
			if got, err := store.WithPrefix(digits); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q: got %v, %v; want %v", digits, got, err, want)
			}
		}
	}
	for _, digits := range []string{"xyz", strings.Repeat("0", 41), "../.."} {
		if got, err := store.WithPrefix(digits); err == nil {
			t.Errorf("%q: got %v, want an error", digits, got)
		}
	}
	if got, err := store.WithPrefix(strings.Repeat("0", 12)); err != nil || len(got) > 0 {
		t.Errorf("a prefix of nothing: got %v, %v", got, err)
	}
}
