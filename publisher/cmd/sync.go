package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"k8s.io/publisher/plan"
	"k8s.io/publisher/publication"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/session"
)

func newSync(f *flags) *cobra.Command {
	all, push := false, false
	var shard rules.Shard
	var site siteFlags
	c := &cobra.Command{
		Use:   "sync",
		Short: "Bring the mirrors up to date",
		Long: `Bring the mirrors up to date.

What "publisher plan" shows is carried out: destination by destination,
dependencies first. In a destination all changes become visible at once, or none
does. Where one fails, it stays as it was, and so do those that depend on it;
the others are published. The report says what was done, in the words of the
plan. The exit code is 1 where a destination has an error.

A mirror that someone else filled, or that was published under other rules, is
only continued where the rules say where it was taken over: its history stays then,
and new commits go on top. "publisher rules take-over" writes that into the rules.

Where the rules name remotes, or --remote does, those are the state: the mirrors are
brought to where their remotes are first, whatever they were, and what is new is
computed on top. With --push, it goes to the remotes then: each destination's
branches and tags in one push that arrives as a whole or not at all, dependencies
first. Without it the mirrors on this machine show what would be pushed, and the next
run begins from the remotes again.

Before a new tag is published, a module that requires it is built in a temporary
folder, from what is about to be published, by the go command. A tag with which
that does not work is withheld, and so are tags that require it; the report says
why, and the exit code is 1. For which tags this is done is said by "consumers"
in the rules, or by --consumers: for none, for those that are new, or for all.

Where one machine is not enough, several publish a part each, with --shard and
mirrors of their own: of 4, those from --shard 0/4 to --shard 3/4. A part has what
its destinations depend on, too; what several have, all make the same of.

With --site, a site is brought up to date afterwards, as "publisher site" does. Where
that fails, the exit code is 1; the mirrors are published all the same.

A sync can be interrupted at any time and run again. Only one at a time may work
on a folder of mirrors; a second one fails and says who is at work. After a run
that was killed, the next one waits for the git commands that are left of it.

Smoke tests run what the rules and the source say. They have an environment of
their own without credentials, limits of time, memory, output and tasks, and no
process of theirs lives on. Where the kernel lets ordinary users make namespaces,
they also have no network but a module proxy, and no files but theirs and the
system's. Elsewhere a warning says that they can read what the publisher can;
--isolation=required makes that an error.`,
		Example: `  publisher sync
  publisher sync --source https://git.example.com/monorepo.git --mirrors /srv/mirrors
  publisher sync --push --remote 'ssh://git@example.org/{{.Destination}}'
  publisher sync --push --shard 0/4 --mirrors /tmp/mirrors
  publisher sync -o json --log-format json 2>> sync.log`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if err := site.check(); err != nil {
				return err
			}
			if site.dir != "" && shard != (rules.Shard{}) {
				return errors.New("--site takes all destinations, and --shard leaves some out: run publisher site where all mirrors are")
			}
			o := f.options()
			o.Push, o.Shard = push, shard
			site.hide(&o)
			started := time.Now()
			done, err := session.Sync(c.Context(), o)
			f.record(started, done, err)
			if err != nil {
				return err
			}
			// What was published is served, whatever failed elsewhere.
			failed := f.siteAfter(c.Context(), &site, nil, f.log)
			r := f.report(done.Plan, done.Failures)
			r.Done, r.Push = true, push
			r.remotes(done.Remotes, done.Pushed)
			if err := f.print(r, r.table(all, f.width())); err != nil {
				return errors.Join(err, done.Err(), failed)
			}
			return errors.Join(r.failure(), failed)
		},
	}
	f.addRepositories(c)
	f.addOutput(c)
	f.addBuild(c)
	site.addTo(c)
	c.Flags().Var(&shard, "shard", "publish a part of the destinations, such as 0/4, and what they depend on")
	c.Flags().BoolVar(&push, "push", false, "push to the remotes what is new in the mirrors")
	c.Flags().BoolVar(&all, "all", false, "list in the table what is counted otherwise, what is unchanged too")
	return c
}

// plan opens a session and plans. The caller closes the session unless there
// is an error.
func (f *flags) plan(ctx context.Context, write bool) (_ *session.Session, _ *plan.Plan, _ *publication.Publication, err error) {
	o := f.options()
	o.Write = write
	s, err := session.Open(ctx, o)
	if err != nil {
		return nil, nil, nil, err
	}
	p, pub, err := s.Plan(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, s.Close())
	}
	return s, p, pub, nil
}
