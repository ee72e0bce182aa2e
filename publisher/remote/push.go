package remote

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/publisher/credential"
	"k8s.io/publisher/git"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
)

// Pushed tells of a push that arrived.
type Pushed struct {
	// Refs is how many refs of the remote changed.
	Refs int
	// Steps is how many pushes it took: more than one for a server with limits, and
	// none where the remote had everything already.
	Steps int
}

// Push makes refs of a remote name what they are given, which is in some object
// directories of ours, or leaves the remote as it was. Read are the remote's refs as
// they were read; what is planned stands on them. The package's comment says what
// happens when something fails; what is returned with an error did arrive.
//
// The error is a [*RacedError], an [*Error], or, where it would move what is published,
// a [*MovedError].
func (c *Client) Push(ctx context.Context, url string, read Refs, update map[string]mirror.Ref, objectDirs ...string) (done Pushed, err error) {
	dir, remove, err := scratch(objectDirs...)
	if remove != nil {
		defer func() { err = errors.Join(err, remove()) }()
	}
	if err != nil {
		return done, &Error{Doing: "push to", URL: url, Kind: Local, Err: err}
	}
	p := &push{Client: c, ctx: ctx, url: url, dir: dir, read: maps.Clone(read)}
	err = p.whole(update)
	return p.done, err
}

// push is what one remote gets.
type push struct {
	*Client
	ctx      context.Context
	url, dir string
	read     Refs // what the remote has, as far as is known
	done     Pushed
}

// MovedError reports a ref that cannot be pushed without moving what is published.
type MovedError struct {
	URL, Ref string
	Old, New object.ID
}

func (e *MovedError) Error() string {
	if strings.HasPrefix(e.Ref, "refs/heads/") {
		return fmt.Sprintf("push to %s: %s is at %s, which is not behind %s; a branch only goes forward", e.URL, e.Ref, e.Old, e.New)
	}
	return fmt.Sprintf("push to %s: %s is %s and would become %s; a tag never moves", e.URL, e.Ref, e.Old, e.New)
}

// allowed asks git whether the update moves nothing that is published.
func (p *push) allowed(update map[string]mirror.Ref) error {
	for _, ref := range slices.Sorted(maps.Keys(update)) {
		old, exists := p.read[ref]
		now := update[ref].ID
		if !exists || old.ID == now {
			continue
		}
		moved := &MovedError{p.url, ref, old.ID, now}
		if !strings.HasPrefix(ref, "refs/heads/") {
			return moved
		}
		err := git.Command{Dir: p.dir}.Run(p.ctx, "merge-base", "--is-ancestor", old.ID.String(), now.String())
		failed, ok := errors.AsType[*git.Error](err)
		switch {
		case ok && failed.Code() == 1 && failed.Stderr == "":
			return moved
		case err != nil:
			return &Error{Doing: "push to", URL: p.url, Kind: Local, Err: err}
		}
	}
	return nil
}

// whole pushes all at once, or, where the server has limits, in steps.
func (p *push) whole(update map[string]mirror.Ref) error {
	if err := p.allowed(update); err != nil {
		return err
	}
	if most := p.MostRefs; most > 0 && len(update) > most || len(update) > mostArguments {
		return p.steps(update, true)
	}
	err := p.step(update, true)
	failed, ok := errors.AsType[*Error](err)
	switch {
	case ok && failed.Kind == TooLarge:
		p.log().Info("pushing in steps, as the server has limits", "remote", p.url, "said", failed.Error())
		return p.halves(p.ordered(update), true, err)
	case ok && failed.Kind == NotAtomic:
		p.log().Info("pushing in steps, as the server knows no atomic pushes", "remote", p.url)
		return p.steps(update, false)
	}
	return err
}

// step is one push, tried until it arrived, or cannot.
func (p *push) step(update map[string]mirror.Ref, atomic bool) error {
	if p.arrived(update) {
		return nil
	}
	for attempt := 1; ; attempt++ {
		err := p.once(update, atomic)
		if err == nil {
			p.done.Steps++
			p.note(update)
			return nil
		}
		failed, ok := errors.AsType[*Error](err)
		if p.ctx.Err() != nil || !ok || failed.Kind == NotAtomic || failed.Kind == Denied || failed.Kind == Missing || failed.Kind == Local {
			return err
		}
		before := p.read
		now, unread := p.Refs(p.ctx, p.url)
		if unread != nil {
			return errors.Join(err, unread)
		}
		p.read = now
		switch ref, changed := differ(before, now, update); {
		case p.arrived(update):
			p.log().Info("the push had arrived", "remote", p.url, "after", err)
			p.done.Steps++
			p.done.Refs += len(update)
			return nil
		case changed:
			return &RacedError{p.url, ref, err}
		case !failed.Kind.Passes() || attempt >= cmp.Or(p.Attempts, 5):
			return err
		}
		if p.pause(p.ctx, attempt) != nil {
			return err
		}
		p.log().Info("pushing again", "remote", p.url, "attempt", attempt+1, "after", err)
	}
}

// arrived reports whether the remote has what it should.
func (p *push) arrived(update map[string]mirror.Ref) bool {
	for name, ref := range update {
		if p.read[name].ID != ref.ID {
			return false
		}
	}
	return true
}

// note notes what arrived.
func (p *push) note(update map[string]mirror.Ref) {
	maps.Copy(p.read, update)
	p.done.Refs += len(update)
}

// differ returns a ref that somebody changed: one of the update, or else any other.
func differ(before, now Refs, update map[string]mirror.Ref) (ref string, changed bool) {
	var names []string
	for name := range before {
		if before[name].ID != now[name].ID {
			names = append(names, name)
		}
	}
	for name := range now {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", false
	}
	slices.Sort(names)
	for _, name := range names {
		if _, ok := update[name]; ok {
			return name, true
		}
	}
	return names[0], true
}

// mostArguments is how many refs fit into git's arguments.
const mostArguments = 4000

// mostStaying is how many refs that are to stay get a lease. Git holds each lease and
// each refspec against each ref of the remote: 2,000 of them take it seconds.
const mostStaying = 200

// staying are those of the refs that were read that get a lease although they are to
// stay: all, or, where those are too many, the branches. A tag that is not pushed
// cannot be harmed by a push.
func (p *push) staying() map[string]mirror.Ref {
	refs := maps.Clone(map[string]mirror.Ref(p.read))
	if len(refs) > mostStaying {
		maps.DeleteFunc(refs, func(name string, _ mirror.Ref) bool { return !strings.HasPrefix(name, "refs/heads/") })
	}
	if len(refs) > mostStaying {
		clear(refs)
	}
	return refs
}

// once has git push.
func (p *push) once(update map[string]mirror.Ref, atomic bool) error {
	refs := p.staying()
	maps.Copy(refs, update)
	args := []string{"push", "--porcelain", "--progress", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"}
	if atomic {
		args = append(args, "--atomic")
	}
	var specs []string
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		lease := ""
		if old, ok := p.read[name]; ok {
			lease = old.ID.String()
		}
		args = append(args, "--force-with-lease="+name+":"+lease)
		specs = append(specs, refs[name].ID.String()+":"+name)
	}
	args = append(append(args, "--", p.url), specs...)
	// The caller reads the refs before it tries again, so this is not tried twice, but
	// for a token that was replaced.
	once := Client{Credentials: p.Credentials, Attempts: 1, Silence: p.Silence, Log: p.Log}
	return once.try(p.ctx, "push to", p.url, func(access credential.Access) error {
		leave, err := p.enter(p.ctx)
		if err != nil {
			return err
		}
		defer leave()
		var out bytes.Buffer
		cmd := command(p.dir, access)
		cmd.Stdout = &out
		err = p.run(p.ctx, cmd, args...)
		if said, ok := errors.AsType[*saidError](err); ok {
			said.lines = append(said.lines, refusals(out.String())...)
		}
		return err
	})
}

// mostRefusals is how many refs an error names.
const mostRefusals = 10

// refusals are the lines of git push --porcelain about refs that were refused. What
// is refused only because others are comes last.
func refusals(text string) []string {
	var first, others []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "!") {
			continue
		}
		line = git.Printable(strings.Join(strings.Split(strings.TrimSpace(line), "\t"), " "))
		if strings.Contains(line, "(atomic ") {
			others = append(others, line)
		} else {
			first = append(first, line)
		}
	}
	all := append(first, others...)
	if n := len(all); n > mostRefusals {
		all = append(all[:mostRefusals], fmt.Sprintf("! %d more", n-mostRefusals))
	}
	return all
}
