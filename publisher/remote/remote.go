// Package remote reads, fetches from, and pushes to the repositories on servers that
// mirrors are published to.
//
// A remote is the state of its destination. What lies on this machine is a working
// copy, and a run begins with [Client.Refs] of all remotes: what they say is what is
// planned against. [Client.Fetch] brings what the working copy lacks. [Client.Push]
// makes the remote what was planned, or leaves it as it was.
//
// # A push
//
// The refs of one destination go in one push, branches and tags together, which
// arrives as a whole or not at all (git push --atomic). Each ref that is pushed has a
// lease, and so have the others that were read, unless they are too many; then the
// branches have. Where the remote has anything else than what was read, or has something
// where there was nothing, the push is refused. Nothing is ever forced: that a branch
// goes forward is asked of git itself before, and a tag is only ever new.
//
// A push that failed may have arrived all the same: the answer can get lost. So
// after each failure the refs are read again. They may be
//
//   - what was pushed: it arrived, by this push or by one of another publisher, as
//     both make the same of one source;
//   - what they were: where the reason may pass, it is pushed again; where it does
//     not, such as a hook that says no, the error has the server's words;
//   - anything else: somebody was faster. That is a [RacedError], and the caller is to
//     plan again.
//
// # Servers with limits
//
// A server may have no atomic pushes, or refuse a push for its size. Then what was to
// go at once goes in steps, each of them a push like those above, so small that the
// server takes it. Steps are in an order in which the remote is at each moment what
// it could have been if the source had been published more often:
//
//  1. the branches, one after the other; one that is too large goes forward in steps
//     along its first parents;
//  2. then the tags, in the order of their versions: all that they stand on is there.
//
// Dependencies are whole before dependents begin, however many steps they take. A run
// that is interrupted between steps leaves such a moment's state, which the next run
// reads and goes on from. Words that are not about size or number do not lead to
// steps: what a hook refuses in one ref, it refuses for all.
package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"k8s.io/publisher/credential"
	"k8s.io/publisher/git"
	"k8s.io/publisher/mirror"
)

// Refs are a remote's branches and tags, by their full names.
type Refs map[string]mirror.Ref

// Client reaches servers. The zero value is good: it has no credentials but those
// that the user's configuration of git leads to. It is safe for concurrent use, and
// not to be copied.
type Client struct {
	// Provenance tells that refs/provenance matters, too.
	Provenance bool
	// Credentials say how servers are reached; see [credential.Set].
	Credentials *credential.Set
	// Attempts is how often something is tried whose failure may pass; 5 where it is
	// zero.
	Attempts int
	// Pause is the most that is waited before the second attempt; it doubles with each
	// one, up to a minute. How long it is by chance is between nothing and that. A
	// second where it is zero.
	Pause time.Duration
	// Silence is how long a server may say nothing; 10 minutes where it is zero, as it
	// may have much to do with a pack, and a minute where only refs are read.
	Silence time.Duration
	// MostRefs is how many refs one push may change; no limit where it is zero.
	MostRefs int
	// AtOnce is how many servers are spoken to at a time; 16 where it is zero.
	AtOnce int
	// Log may be nil.
	Log *slog.Logger

	once  sync.Once
	slots chan struct{}
	user  func() error // see checkUser; asked once
}

func (c *Client) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

// enter waits until one more server may be spoken to.
func (c *Client) enter(ctx context.Context) (leave func(), err error) {
	c.start()
	select {
	case c.slots <- struct{}{}:
		return func() { <-c.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *Client) start() {
	c.once.Do(func() {
		c.slots = make(chan struct{}, cmp.Or(c.AtOnce, 16))
		c.user = sync.OnceValue(func() error { return checkUser(context.Background()) })
	})
}

// try does something until it succeeds, fails for a reason that stays, or has failed
// often enough.
func (c *Client) try(ctx context.Context, what, url string, once func(credential.Access) error) error {
	c.start()
	if err := c.user(); err != nil {
		return &Error{Doing: what, URL: url, Kind: Denied, Err: err}
	}
	var refused credential.Access
	for attempt := 1; ; attempt++ {
		access, err := c.Credentials.For(ctx, url)
		if err != nil {
			err = withoutCredentials(what, url, err)
		} else {
			err = c.alone(ctx, access, once)
		}
		if err == nil {
			return nil
		}
		failed := classify(ctx, what, url, access, err)
		switch {
		case ctx.Err() != nil:
			return failed
		case failed.Kind == Denied && attempt == 1:
			// The token may just have been replaced.
			c.Credentials.Forget(url)
			if refused, err = c.Credentials.For(ctx, url); err != nil || refused.Same(access) {
				return failed
			}
			continue
		case !failed.Kind.Passes() || attempt >= cmp.Or(c.Attempts, 5):
			return failed
		}
		if err := c.pause(ctx, attempt); err != nil {
			return failed
		}
		c.log().Info("trying again", "doing", what, "remote", url, "attempt", attempt+1, "after", failed.Error())
	}
}

// withoutCredentials is the error of there being none to reach a server with.
func withoutCredentials(what, url string, err error) *Error {
	e := &Error{Doing: what, URL: url, Kind: Denied, Err: err}
	if _, ok := errors.AsType[*credential.UnavailableError](err); ok {
		e.Kind = Unreachable
	}
	return e
}

// alone does something while one of the few that may speak to servers at a time.
func (c *Client) alone(ctx context.Context, access credential.Access, once func(credential.Access) error) error {
	leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return once(access)
}

// pause waits before the next attempt.
func (c *Client) pause(ctx context.Context, attempt int) error {
	most := min(cmp.Or(c.Pause, time.Second)<<min(attempt-1, 10), time.Minute)
	select {
	case <-time.After(rand.N(most)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// settings are for every command that speaks to a server.
var settings = []git.Setting{
	{Key: "protocol.version", Value: "2"},
	// Credentials are for the host that the rules name.
	{Key: "http.followRedirects", Value: "false"},
	{Key: "gc.auto", Value: "0"},
	{Key: "maintenance.auto", Value: "false"},
}

// command is git for a server.
func command(dir string, access credential.Access) git.Command {
	return git.Command{
		Dir: dir, AsUser: true, Together: true,
		Config: append(settings[:len(settings):len(settings)], access.Settings...),
		Env:    append([]string{"GIT_ALLOW_PROTOCOL=https:ssh:git:file", "GIT_PROTOCOL_FROM_USER=0"}, access.Env...),
	}
}

// run runs git and ends it where it is silent for too long.
func (c *Client) run(ctx context.Context, cmd git.Command, args ...string) error {
	return c.runWithin(ctx, cmp.Or(c.Silence, 10*time.Minute), cmd, args...)
}

func (c *Client) runWithin(ctx context.Context, silence time.Duration, cmd git.Command, args ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(silence, func() { cancel(&silentError{silence}) })
	defer timer.Stop()
	words := &words{heard: func() { timer.Reset(silence) }}
	cmd.Stderr = words
	if err := cmd.Run(ctx, args...); err != nil {
		return &saidError{err, words.lines()}
	}
	return nil
}

type silentError struct{ after time.Duration }

func (e *silentError) Error() string { return fmt.Sprintf("the server said nothing for %v", e.after) }

// saidError is git's error with what it, and the server, said.
type saidError struct {
	err   error
	lines []string
}

func (e *saidError) Error() string { return e.err.Error() }
func (e *saidError) Unwrap() error { return e.err }

// words collects lines, without those that only tell of progress.
type words struct {
	heard func()
	mu    sync.Mutex
	said  []string
	rest  string
}

// mostWords is how many lines are kept, and mostLine how many bytes of each.
const (
	mostWords = 40
	mostLine  = 1000
)

func (w *words) Write(p []byte) (int, error) {
	w.heard()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest += string(p)
	for {
		i := strings.IndexAny(w.rest, "\r\n")
		if i < 0 {
			break
		}
		w.add(w.rest[:i])
		w.rest = w.rest[i+1:]
	}
	if len(w.rest) > mostLine {
		w.add(w.rest)
		w.rest = ""
	}
	return len(p), nil
}

func (w *words) add(line string) {
	line = git.Printable(strings.TrimSpace(line))
	if line == "" || line == "remote:" || progress.MatchString(line) {
		return
	}
	w.said = append(w.said, line[:min(len(line), mostLine)])
	if len(w.said) > mostWords {
		w.said = w.said[1:]
	}
}

func (w *words) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(w.rest)
	w.rest = ""
	return w.said
}

// scratch makes a repository that has nothing but the objects of others, to push from.
func scratch(objectDirs ...string) (dir string, remove func() error, err error) {
	if dir, err = os.MkdirTemp("", "push-"); err != nil {
		return "", nil, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	return dir, remove, git.Init(dir, objectDirs...)
}
