package session

import (
	"cmp"
	"context"
	"time"

	"k8s.io/publisher/object"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/sandbox"
	"k8s.io/publisher/smoke"
)

// smoke runs the smoke tests of a destination's branches that move. Those that
// it depends on are published already, so that its siblings are in their
// mirrors, or staged with it. The error of a script that fails is a
// [*smoke.FailedError].
func (a *application) smoke(ctx context.Context, d *plan.Destination) error {
	rule := a.RuleSet.Rule(d.Name)
	dirs := a.staged[d.Name].ObjectDirs()
	for _, on := range d.DependsOn {
		dep := a.plan.Destination(on)
		if staged := a.staged[on]; staged != nil {
			dirs = append(dirs, staged.ObjectDirs()...)
		} else if dep.Mirror.Exists || a.published[on] {
			dirs = append(dirs, dep.Mirror.ObjectsDir())
		}
	}
	// Branches that start at the same commit would be tested alike.
	type content struct {
		commit            object.ID
		script, goVersion string
	}
	passed := make(map[content]bool)
	for _, b := range d.Branches {
		if b.Action != plan.Create && b.Action != plan.Update {
			continue
		}
		branch := rule.Branch(b.Name)
		script := cmp.Or(branch.SmokeTest, rule.SmokeTest)
		goVersion := cmp.Or(branch.Go, a.RuleSet.DefaultGoVersion)
		at := content{b.New, script, goVersion}
		if script == "" || passed[at] {
			continue
		}
		a.warnUnconfined(ctx)
		a.Log.Info("running the smoke test", "destination", d.Name, "branch", b.Name, "commit", b.New.String())
		start := time.Now()
		test := smoke.Test{
			Destination: d.Name, Branch: b.Name, Commit: b.New,
			Script: script, Go: goVersion, ObjectDirs: dirs, Builder: a.Build, Log: a.Log,
		}
		testing, tested := a.Observe.stage(ctx, Testing, d.Name)
		err := test.Run(testing)
		tested(err)
		if err != nil {
			return err
		}
		a.Log.Info("the smoke test passed", "destination", d.Name, "branch", b.Name, "seconds", time.Since(start).Seconds())
		passed[at] = true
	}
	return nil
}

// warnUnconfined warns, once, where the source's code can reach more than it should.
func (s *Session) warnUnconfined(ctx context.Context) {
	s.confined.Do(func() {
		if s.Build.Isolation == sandbox.LimitsOnly {
			s.Log.Warn("the source's code runs without isolation, as was asked for: it can read what the publisher can, and reach the network")
		} else if err := sandbox.Supported(ctx); err != nil && s.Build.Isolation == sandbox.WhereSupported {
			s.Log.Warn("the source's code runs without isolation: it can read what the publisher can, and reach the network", "error", err)
		}
	})
}
