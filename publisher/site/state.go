package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/mod/sumdb/dirhash"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/pages"
	"k8s.io/publisher/status"
)

// format is raised where files that are there have to be looked at anew.
const format = "publisher site 1"

const stateFile = "state"

// state is what a site was made from. It only saves time.
type state struct {
	Format string `json:"format"`
	// Rules is the digest of the rules, BaseURL where the site is.
	Rules   string `json:"rules"`
	BaseURL string `json:"baseURL,omitempty"`
	// Program is the one that wrote the pages: another one may write others.
	Program string `json:"program"`
	// Health is what pages say of it, the dates aside.
	Health string `json:"health"`
	// Docs is the hash of the documentation.
	Docs string `json:"docs,omitempty"`
	// Refs are digests of the mirrors' refs, by destination.
	Refs map[string]string `json:"refs"`
}

// stateOf reads what a site is to be made from.
func stateOf(o *Options) (*state, error) {
	s := &state{Format: format, Rules: o.Rules.Digest(), BaseURL: o.BaseURL, Refs: make(map[string]string)}
	for i := range o.Rules.Rules {
		rule := &o.Rules.Rules[i]
		m, err := mirror.Open(mirror.Path(o.Mirrors, rule.Destination))
		if err != nil {
			return nil, fmt.Errorf("read the mirror of %s: %w", rule.Destination, err)
		}
		if m.Exists && !rule.Skipped {
			s.Refs[rule.Destination] = digest(m)
		}
	}
	s.Health = health(o.Status)
	program, err := pages.Program()
	if err != nil {
		return nil, fmt.Errorf("look at this program: %w", err)
	}
	s.Program = program
	if o.Docs == "" {
		return s, nil
	}
	docs, err := dirhash.HashDir(o.Docs, "", dirhash.Hash1)
	if err != nil {
		return nil, fmt.Errorf("read the documentation: %w", err)
	}
	s.Docs = docs
	return s, nil
}

// digest names what a mirror shows.
func digest(m *mirror.Mirror) string {
	h := sha256.New()
	fmt.Fprintln(h, m.Head())
	refs := m.Refs()
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		id := refs[name].ID
		h.Write(id[:])
		h.Write([]byte(name + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func health(s *status.Status) string {
	if s == nil {
		return ""
	}
	var text strings.Builder
	for _, d := range s.Destinations {
		if d.Waiting > 0 || d.FailingSince != nil {
			fmt.Fprintf(&text, "%s %d %v\n", d.Name, d.Waiting, d.FailingSince != nil)
		}
	}
	return text.String()
}

// readState returns what a site was made from: nothing where that is not known.
func readState(dir string) *state {
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	s := new(state)
	if err != nil || json.Unmarshal(data, s) != nil {
		return new(state)
	}
	return s
}

// sameSettings reports whether only mirrors can have changed.
func (s *state) sameSettings(now *state) bool {
	return s.Format == now.Format && s.Rules == now.Rules && s.BaseURL == now.BaseURL
}

func (s *state) same(now *state) bool {
	return s.sameSettings(now) && s.Program == now.Program && s.Health == now.Health && s.Docs == now.Docs && maps.Equal(s.Refs, now.Refs)
}

// changed reports whether a destination is to be looked at.
func (s *state) changed(now *state, destination string) bool {
	return !s.sameSettings(now) || s.Refs[destination] != now.Refs[destination]
}

func (s *state) write(dir string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, stateFile), append(data, '\n'))
}

// writeFile writes a file as a whole, unless it has this content. It need not outlive a loss
// of power: whoever finds no state writes it again.
func writeFile(name string, data []byte) error {
	if have, err := os.ReadFile(name); err == nil && bytes.Equal(have, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	t, err := renameio.NewPendingFile(name, renameio.WithStaticPermissions(0o644))
	if err != nil {
		return err
	}
	_, err = t.Write(data)
	if err == nil {
		err = t.CloseAtomicallyReplace()
	}
	return errors.Join(err, t.Cleanup())
}
