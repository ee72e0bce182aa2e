package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"k8s.io/publisher/bot"
	"k8s.io/publisher/cluster"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/session"
	"k8s.io/publisher/status"
)

func newStatus(f *flags) *cobra.Command {
	all, inCluster := false, false
	var place clusterFlags
	c := &cobra.Command{
		Use:   "status",
		Short: "Show where each destination stands since the last run",
		Long: `Show where each destination stands since the last run.

For each destination the report says when a run last found it up to date, or made it
so; where the source's branch was then and where the mirror's is; how many branches
and tags wait to be published; and why the last run failed, if it did. The table has
each destination's main branch, or all with --all; JSON and YAML are complete.

The report is written by "publisher sync" and "publisher run" in the mirrors' folder;
replicas that elect a leader write it to a ConfigMap, too, which --cluster reads. It
decides nothing, and may be lost: "publisher plan" reads the mirrors themselves.
The exit code is 1 where the last run failed.`,
		Example: `  publisher status
  publisher status --all --mirrors /srv/mirrors
  publisher status --cluster --namespace publisher
  publisher status -o json | jq '.destinations[] | select(.waiting > 0) | .name'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			read := f.readStatus
			if inCluster {
				read = func(ctx context.Context) (*status.Status, error) { return f.clusterStatus(ctx, &place) }
			}
			s, err := read(c.Context())
			if err != nil {
				return err
			}
			if err := f.print(s, statusTable(s, all, f.width(), time.Now())); err != nil {
				return err
			}
			return statusFailure(s)
		},
	}
	c.Flags().StringVar(&f.mirrors, "mirrors", ".", "the `folder` of the mirrors")
	c.Flags().BoolVar(&all, "all", false, "list all branches in the table")
	c.Flags().BoolVar(&inCluster, "cluster", false, "read the report of replicas in a Kubernetes cluster")
	place.add(c)
	f.addOutput(c)
	return c
}

// record leaves a report of a sync. That of one that found another at work is the
// other's business.
func (f *flags) record(started time.Time, done *session.Result, failed error) {
	if _, locked := errors.AsType[*mirror.LockedError](failed); locked {
		return
	}
	folder := mirror.WorkDir(f.mirrors)
	before, err := status.Read(folder)
	if err != nil {
		f.log.Warn("where destinations stood is not known", "error", err)
	}
	outcome := bot.Outcome(done)
	outcome.Redact = f.redact
	outcome.Run = status.Run{ID: bot.NewID(started), Cause: "sync", Started: started.UTC(), Finished: time.Now().UTC()}
	if failed == nil {
		failed = done.Err()
	}
	if failed != nil {
		outcome.Run.Error = f.redact(failed.Error())
	}
	if _, err := os.Stat(folder); err != nil {
		return // It failed before there was anything to tell of.
	}
	if err := status.Next(before, outcome).Write(folder); err != nil {
		f.log.Warn("publisher status will not know of this run", "error", err)
	}
}

// readStatus reads the report in the mirrors' folder.
func (f *flags) readStatus(context.Context) (*status.Status, error) {
	s, err := status.Read(mirror.WorkDir(f.mirrors))
	if err == nil && s == nil {
		err = fmt.Errorf("no run has left a report in %s: name the folder with --mirrors, or run publisher sync", f.mirrors)
	}
	return s, err
}

// clusterStatus reads the report in a cluster.
func (f *flags) clusterStatus(ctx context.Context, place *clusterFlags) (*status.Status, error) {
	o, err := place.options(f.log)
	if err != nil {
		return nil, err
	}
	c, err := cluster.New(o)
	if err != nil {
		return nil, err
	}
	return c.Status(ctx)
}

// statusFailure is an error where the last run failed.
func statusFailure(s *status.Status) error {
	switch failed := s.Failed(); {
	case len(failed) > 0:
		return fmt.Errorf("the last run failed at %d of %s: %s", len(failed), count(len(s.Destinations), "destination"), some(failed, few))
	case s.Run.Error != "":
		return fmt.Errorf("the last run failed: %s", s.Run.Error)
	}
	return nil
}

// statusTable returns a function that writes a report for people who read it now.
func statusTable(s *status.Status, all bool, width int, now time.Time) func(io.Writer) error {
	ago := func(t time.Time) string {
		return fmt.Sprintf("%s (%s ago)", t.Format(time.RFC3339), duration.HumanDuration(max(0, now.Sub(t))))
	}
	return func(w io.Writer) error {
		t := new(table)
		t.row("DESTINATION", "LAST SUCCESS", "BRANCH", "SOURCE HEAD", "MIRROR HEAD", "TAGS", "WAITING")
		for _, d := range s.Destinations {
			last := "never"
			if d.LastSuccess != nil {
				last = ago(*d.LastSuccess)
			}
			branches := slices.SortedStableFunc(slices.Values(d.Branches), func(a, b status.Branch) int { return byInterest("")(a.Name, b.Name) })
			if len(branches) == 0 {
				branches = []status.Branch{{}}
			}
			if !all {
				branches = branches[:1]
			}
			for i, b := range branches {
				if i > 0 {
					t.row(d.Name, "", b.Name, short(b.SourceHead), short(b.MirrorHead))
					continue
				}
				t.row(d.Name, last, b.Name, short(b.SourceHead), short(b.MirrorHead), strconv.Itoa(d.Tags), strconv.Itoa(d.Waiting))
			}
		}
		if err := t.write(w, width); err != nil {
			return err
		}
		l := lines{w: w, all: all}
		for _, d := range s.Destinations {
			if d.Error != "" {
				l.list(d.Name, "error", []string{fmt.Sprintf("failing since %s: %s", ago(*d.FailingSince), d.Error)})
			}
		}
		word := "all went well"
		if s.Run.Error != "" {
			word = "it failed"
		}
		_, err := fmt.Fprintf(w, "\nlast run %s (%s) ended %s: %s\n", s.Run.ID, oneLine(s.Run.Cause), ago(s.Run.Finished), word)
		return err
	}
}
