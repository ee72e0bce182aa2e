package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"k8s.io/publisher/mirror"
)

// FetchRemotes fetches all that the remotes have, from nothing, into a folder of this
// run that is like one of mirrors: who looks there sees what consumers would get.
// Mirrors without a remote are there as they are on this machine. An error is about
// remotes that could not be fetched, or there being none.
func (s *Session) FetchRemotes(ctx context.Context) (mirrors string, err error) {
	urls := s.RemoteURLs()
	if len(urls) == 0 {
		return "", errors.New("no rule has a remote, and no template for them was given")
	}
	mirrors = filepath.Join(s.temp, "fetched")
	var mu sync.Mutex
	var errs []error
	var group sync.WaitGroup
	for i := range s.RuleSet.Rules {
		rule := &s.RuleSet.Rules[i]
		if rule.Skipped {
			continue
		}
		to := mirror.Path(mirrors, rule.Destination)
		group.Go(func() {
			var err error
			if url := urls[rule.Destination]; url != "" {
				err = s.fetchFresh(ctx, url, to)
			} else {
				err = linkTo(mirror.Path(s.Mirrors, rule.Destination), to)
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("%s: %w", rule.Destination, err))
			}
		})
	}
	group.Wait()
	return mirrors, errors.Join(errs...)
}

// fetchFresh makes a repository that has what a remote has; none where that is nothing.
func (s *Session) fetchFresh(ctx context.Context, url, to string) error {
	refs, head, err := s.Remotes.RefsAndHead(ctx, url)
	if err != nil || len(refs) == 0 {
		return err
	}
	s.Log.Info("fetching all of a remote", "remote", url)
	m, err := mirror.Open(to)
	if err != nil {
		return err
	}
	received, err := m.Receive(s.temp, head)
	if err != nil {
		return err
	}
	if err := s.Remotes.Fetch(ctx, url, received.Dir(), refs); err != nil {
		return err
	}
	if m, err = received.Mirror(refs); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	return os.Rename(m.Dir, to)
}

// linkTo has a mirror appear in another folder, if there is one.
func linkTo(dir, at string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
		return err
	}
	return os.Symlink(dir, at)
}
