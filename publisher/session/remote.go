package session

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/remote"
	"k8s.io/publisher/spec"
)

// openMirror opens a mirror. Where it has a remote, that is the state: the mirror's
// branches and tags become what the remote has, whatever they were, and what it lacks
// for them is fetched. A run that must not write to the mirrors has a working copy of
// its own of one that differs.
func (s *Session) openMirror(ctx context.Context, d *spec.Destination) (*mirror.Mirror, error) {
	m, err := mirror.Open(mirror.Path(s.Mirrors, d.Name))
	url := s.RuleSet.RemoteOf(d.Name)
	if err != nil || url == "" {
		return m, err
	}
	ctx, end := s.Observe.stage(ctx, Following, d.Name)
	m, err = s.current(ctx, m, d, url)
	end(err)
	return m, err
}

// current reads a remote, and has the mirror follow it.
func (s *Session) current(ctx context.Context, m *mirror.Mirror, d *spec.Destination, url string) (*mirror.Mirror, error) {
	for attempt := 1; ; attempt++ {
		refs, err := s.Remotes.Refs(ctx, url)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.read[d.Name] = refs
		s.mu.Unlock()
		if m.Is(refs) {
			return m, nil
		}
		followed, err := s.follow(ctx, m, url, refs, newHead(d))
		if failed, ok := errors.AsType[*remote.Error](err); ok && failed.Kind != remote.Local && attempt < mostAttempts {
			// What was read may have been replaced since.
			continue
		}
		return followed, err
	}
}

// follow brings a mirror to where its remote is.
func (s *Session) follow(ctx context.Context, m *mirror.Mirror, url string, refs remote.Refs, head string) (*mirror.Mirror, error) {
	folder := s.temp
	if s.Write {
		folder = mirror.WorkDir(s.Mirrors)
	}
	received, err := m.Receive(folder, head)
	if err != nil {
		return nil, err
	}
	if err := s.Remotes.Fetch(ctx, url, received.Dir(), refs); err != nil {
		return nil, errors.Join(err, received.Discard())
	}
	if !s.Write {
		return received.Mirror(refs) // It goes with this run's files.
	}
	s.Log.Info("the working copy follows its remote", "mirror", m.Dir, "remote", url)
	followed, err := received.Commit(ctx, s.lock, refs)
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", url, err)
	}
	return followed, nil
}

// newHead is what HEAD of a new working copy names.
func newHead(d *spec.Destination) string {
	first := "main"
	for i, b := range d.Branches {
		if b.Name == "master" || b.Name == "main" {
			return b.Name
		}
		if i == 0 {
			first = b.Name
		}
	}
	return first
}
