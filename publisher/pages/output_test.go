package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestRunThatIsKilledLeavesNoPageForAnother kills a run after each file that it moves.
// Whatever the next one is to write then, the pages are its own.
func TestRunThatIsKilledLeavesNoPageForAnother(t *testing.T) {
	names := []string{"modules/a/1.html", "modules/a/2.html", "modules/b/1.html"}
	staged := func(dir, state string) *output {
		o, err := newOutput(dir, "settings")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			d := newDigest()
			d.text(name, state)
			if o.has(name, d) {
				continue
			}
			if err := o.write(name, []byte(state)); err != nil {
				t.Fatal(err)
			}
		}
		return o
	}
	for killed := range len(names) + 1 {
		for _, next := range []string{"old", "new", "newer"} {
			t.Run(fmt.Sprintf("after %d files, then %s", killed, next), func(t *testing.T) {
				dir := t.TempDir()
				if err := staged(dir, "old").commit(t.Context()); err != nil {
					t.Fatal(err)
				}
				o := staged(dir, "new")
				if err := o.forget(); err != nil {
					t.Fatal(err)
				}
				for _, name := range o.fresh[:killed] {
					if err := o.move(name); err != nil {
						t.Fatal(err)
					}
				}
				if err := staged(dir, next).commit(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, name := range names {
					if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != next {
						t.Errorf("%s has %q, %v", name, data, err)
					}
				}
			})
		}
	}
}
