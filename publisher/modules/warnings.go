package modules

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sync"

	"k8s.io/publisher/object"
)

// Warning is something about the source that is worth a maintainer's look, but
// stops nothing.
type Warning struct {
	What string
	// Count is at how many source commits it was met; Commit is one of them.
	Count  int
	Commit object.ID
	// Err is the cause at Commit.
	Err error
}

func (w Warning) String() string {
	s := fmt.Sprintf("%s, at source commit %s", w.What, w.Commit)
	if w.Err != nil {
		s += ": " + w.Err.Error()
	}
	if w.Count > 1 {
		s += fmt.Sprintf(" (and at %d more)", w.Count-1)
	}
	return s
}

// Warnings collects warnings of all workers, once for each kind. The zero value
// is empty.
type Warnings struct {
	mu     sync.Mutex
	byWhat map[string]*Warning
	at     map[string]map[object.ID]bool
}

// Add notes a warning that was met at a source commit, with its cause there.
func (w *Warnings) Add(what string, commit object.ID, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byWhat == nil {
		w.byWhat, w.at = make(map[string]*Warning), make(map[string]map[object.ID]bool)
	}
	known, ok := w.byWhat[what]
	if !ok {
		w.byWhat[what] = &Warning{What: what, Count: 1, Commit: commit, Err: err}
		w.at[what] = map[object.ID]bool{commit: true}
		return
	}
	// Workers run in any order and can meet the same commit at once. What is
	// shown must not depend on it.
	if w.at[what][commit] {
		return
	}
	w.at[what][commit] = true
	known.Count++
	if bytes.Compare(commit[:], known.Commit[:]) < 0 {
		known.Commit, known.Err = commit, err
	}
}

// List returns the warnings in the order of what they say.
func (w *Warnings) List() []Warning {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Warning
	for _, warning := range w.byWhat {
		out = append(out, *warning)
	}
	slices.SortFunc(out, func(a, b Warning) int { return cmp.Compare(a.What, b.What) })
	return out
}
