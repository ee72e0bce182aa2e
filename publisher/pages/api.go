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
	// FromSources and ToSources are digests of their Go files.
	FromSources string `json:"fromSources"`
	ToSources   string `json:"toSources"`
	*apichange.Comparison

	from, to *released
}

const apiFormat = 1

// Incompatible counts changes that may break those who use the module.
func (a *APIChange) Incompatible() int { n, _ := a.Counts(); return n }

// CompatibleCount counts those that do not.
func (a *APIChange) CompatibleCount() int { _, n := a.Counts(); return n }

// same tells that a comparison that was made earlier is the one that is wanted.
func (a *APIChange) same(b *APIChange) bool {
	return a.Format == b.Format && a.FromSources == b.FromSources && a.ToSources == b.ToSources && a.Comparison != nil
}

func apiName(m *mirrored, minor string) string { return path.Join(m.Folder, "api-"+minor+".json") }

// apiChanges says which releases are to be compared: the newest of each minor version, and
// that of the one before. Comparisons are yet to be made.
func (s *site) apiChanges(m *mirrored) map[*minor]*APIChange {
	changes := make(map[*minor]*APIChange)
	if s.std == nil {
		return changes
	}
	var before *minor
	for _, of := range slices.Backward(m.Minors) {
		if of.Name == "" || of.Newest().Get == "" {
			continue
		}
		if before != nil && semver.Major(before.Name) == semver.Major(of.Name) && before.Newest().module() == of.Newest().module() {
			from, to := before.Newest(), of.Newest()
			changes[of] = &APIChange{
				Format: apiFormat, From: from.Version, FromCommit: from.Commit.ID.String(), To: to.Version, ToCommit: to.Commit.ID.String(),
				from: from, to: to,
			}
		}
		before = of
	}
	return changes
}

// digest is of what is compared.
func (a *APIChange) digest() digest {
	d := newDigest()
	d.number(a.Format)
	d.text(a.From, a.FromCommit, a.To, a.ToCommit)
	return d
}

// compareAPIs makes comparisons, the oldest first. Those of the same Go files, which the
// site has already, are not made again: many a release has nothing else that is new.
func (s *site) compareAPIs(ctx context.Context, m *mirrored, changes []*APIChange) error {
	comparer := apichange.New(m.Store, s.std)
	// Releases that follow each other are read once.
	var run []*APIChange
	finish := func() error {
		if len(run) == 0 {
			return nil
		}
		versions := []apichange.Version{run[0].from.api()}
		for _, c := range run {
			versions = append(versions, c.to.api())
		}
		made, err := comparer.Chain(ctx, versions)
		if err != nil {
			return fmt.Errorf("compare the API: %w", err)
		}
		for i, c := range run {
			c.Comparison = made[i]
		}
		run = nil
		return nil
	}
	for _, c := range changes {
		for _, side := range []struct {
			of      *released
			sources *string
		}{{c.from, &c.FromSources}, {c.to, &c.ToSources}} {
			var err error
			if *side.sources, err = comparer.Sources(side.of.api()); err != nil {
				return fmt.Errorf("compare the API: %w", err)
			}
		}
		is, err := s.readAPIChange(apiName(m, c.to.Minor()))
		if err != nil {
			return err
		}
		if is != nil && is.same(c) {
			c.Comparison = is.Comparison
			continue
		}
		if len(run) > 0 && run[len(run)-1].to != c.from {
			if err := finish(); err != nil {
				return err
			}
		}
		run = append(run, c)
	}
	if err := finish(); err != nil {
		return err
	}
	for _, c := range changes {
		if err := s.writeJSON(apiName(m, c.to.Minor()), c, " "); err != nil {
			return err
		}
	}
	return nil
}

// api is what of a release is compared.
func (r *released) api() apichange.Version {
	return apichange.Version{Module: r.module(), Tree: r.Commit.Tree}
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
