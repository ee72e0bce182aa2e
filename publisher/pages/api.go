package pages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/mod/semver"

	"k8s.io/publisher/apichange"
)

// APIChange is modules/D/api-v0.36.json: how the exported API of a minor version's newest
// release differs from that of the minor version before.
type APIChange struct {
	// Format is 1.
	Format int `json:"format"`
	// From and To are the releases, and FromCommit and ToCommit where they are.
	From       string `json:"from"`
	FromCommit string `json:"fromCommit"`
	To         string `json:"to"`
	ToCommit   string `json:"toCommit"`
	*apichange.Comparison
}

const apiFormat = 1

// Incompatible counts changes that may break those who use the module.
func (a *APIChange) Incompatible() int { n, _ := a.Counts(); return n }

// CompatibleCount counts those that do not.
func (a *APIChange) CompatibleCount() int { _, n := a.Counts(); return n }

// same tells that a comparison that was made earlier is the one that is wanted.
func (a *APIChange) same(b *APIChange) bool {
	return a.Format == b.Format && a.From == b.From && a.To == b.To && a.FromCommit == b.FromCommit && a.ToCommit == b.ToCommit && a.Comparison != nil
}

func apiName(m *mirrored, of *minor) string { return path.Join(m.Folder, "api-"+of.Name+".json") }

// compareAPIs compares each minor version's newest release with that of the one before.
// What the site has already is not compared again: releases never move.
func (s *site) compareAPIs(ctx context.Context, m *mirrored) (map[*minor]*APIChange, error) {
	if s.std == nil {
		return nil, nil
	}
	changes := make(map[*minor]*APIChange)
	comparer := apichange.New(m.Store, s.std)
	var run []*minor // the oldest first; each but the first is to be compared with the one before
	finish := func() error {
		if len(run) < 2 {
			run = nil
			return nil
		}
		var versions []apichange.Version
		for _, of := range run {
			versions = append(versions, apichange.Version{Module: of.Newest().module(), Tree: of.Newest().Commit.Tree})
		}
		made, err := comparer.Chain(ctx, versions)
		if err != nil {
			return fmt.Errorf("compare the API: %w", err)
		}
		for i, c := range made {
			changes[run[i+1]].Comparison = c
		}
		run = nil
		return nil
	}
	var before *minor
	for _, of := range slices.Backward(m.Minors) {
		if of.Name == "" || of.Newest().Get == "" {
			continue
		}
		if before != nil && semver.Major(before.Name) == semver.Major(of.Name) && before.Newest().module() == of.Newest().module() {
			want := &APIChange{
				Format: apiFormat, From: before.Newest().Version, FromCommit: before.Newest().Commit.ID.String(),
				To: of.Newest().Version, ToCommit: of.Newest().Commit.ID.String(),
			}
			changes[of] = want
			is, err := s.readAPIChange(apiName(m, of))
			switch {
			case err != nil:
				return nil, err
			case is != nil && is.same(want):
				changes[of] = is
				if err := finish(); err != nil {
					return nil, err
				}
			case len(run) == 0:
				run = []*minor{before, of}
			default:
				run = append(run, of)
			}
		} else if err := finish(); err != nil {
			return nil, err
		}
		before = of
	}
	if err := finish(); err != nil {
		return nil, err
	}
	for of, change := range changes {
		if err := s.writeJSON(apiName(m, of), change, " "); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// readAPIChange reads what was compared earlier; nil where that is nothing.
func (s *site) readAPIChange(name string) (*APIChange, error) {
	data, err := os.ReadFile(filepath.Join(s.out.dir, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a := new(APIChange)
	if json.Unmarshal(data, a) != nil {
		return nil, nil // Whatever it is, it is made anew.
	}
	return a, nil
}
