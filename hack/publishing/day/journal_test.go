package day

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// arrival is one change of a ref of a remote, as the server's journal has it.
type arrival struct {
	at            time.Time
	old, new, ref string
}

// journal reads what came to a remote, in its order.
func (w *world) journal(destination string) (all []arrival) {
	w.Helper()
	data, err := os.ReadFile(filepath.Join(w.remotes.Dir(destination), "journal"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	w.must(err)
	for line := range strings.Lines(string(data)) {
		if !strings.HasSuffix(line, "\n") {
			continue // It is being written.
		}
		f := strings.Fields(line)
		if len(f) != 4 {
			w.Fatalf("the journal of %s has %q", destination, line)
		}
		seconds, err := strconv.ParseFloat(f[0], 64)
		w.must(err)
		all = append(all, arrival{time.UnixMicro(int64(seconds * 1e6)), f[1], f[2], f[3]})
	}
	return all
}

const none = "0000000000000000000000000000000000000000"

// arrivals are when source commits, new branches and tags came to a remote. That
// nothing moved is seen on the way: no ref is ever deleted, no branch goes but forward,
// and no tag is written twice.
func (w *world) arrivals(destination string) map[string]time.Time {
	w.Helper()
	all := make(map[string]time.Time)
	first := func(what string, at time.Time) {
		if _, ok := all[what]; !ok {
			all[what] = at
		}
	}
	at := make(map[string]string)
	for _, a := range w.journal(destination) {
		before, known := at[a.ref]
		if a.new == none || known != (a.old != none) || known && a.old != before {
			w.Errorf("%s of %s was %s, and then went from %s to %s", a.ref, destination, before, a.old, a.new)
		}
		at[a.ref] = a.new
		first(a.ref, a.at)
		tag := strings.HasPrefix(a.ref, "refs/tags/")
		if tag && known {
			w.Errorf("the tag %s of %s has moved", a.ref, destination)
		}
		if tag {
			continue
		}
		revisions := a.new
		if known {
			w.remotes.Git(destination, "merge-base", "--is-ancestor", a.old, a.new)
			revisions = a.old + ".." + a.new
		}
		for source := range strings.FieldsSeq(w.remotes.Git(destination, "log", "--format=%(trailers:key=Kubernetes-commit,valueonly)", revisions)) {
			first(source, a.at)
		}
	}
	return all
}

// mustArrive waits until all that was pushed is at the remotes.
func (w *world) mustArrive(events []*event) {
	w.Helper()
	w.eventually("all that was pushed is published", func() error {
		arrived := make(map[string]map[string]time.Time)
		for _, d := range destinations {
			arrived[d] = w.arrivals(d)
		}
		var errs []error
		for _, e := range events {
			e.arrived, e.missing = time.Time{}, nil
			for _, d := range e.destinations {
				at, ok := arrived[d][e.wanted()]
				if !ok {
					e.missing = append(e.missing, d)
				} else if at.After(e.arrived) {
					e.arrived = at
				}
			}
			if len(e.missing) > 0 {
				e.arrived = time.Time{}
				errs = append(errs, fmt.Errorf("%s lacks %s %s", strings.Join(e.missing, ", "), e.kind, e.wanted()))
			}
		}
		return errors.Join(errs...)
	})
}

// wanted is what the journal has once the event is published: a ref, or a source commit.
func (e *event) wanted() string {
	switch e.kind {
	case newBranch:
		return e.ref
	case newTag:
		return "refs/tags/v0" + strings.TrimPrefix(e.ref, "refs/tags/v1")
	}
	return e.commit
}
