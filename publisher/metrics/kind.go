package metrics

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"k8s.io/publisher/git"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/plan"
	"k8s.io/publisher/remote"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/smoke"
	"k8s.io/publisher/source"
)

// Kinds of failures, as the label kind has them.
const (
	Conflict   = "conflict"   // what is published would have to move
	Dependency = "dependency" // another destination failed
	SmokeTest  = "smoke-test" // a smoke test failed
	Rules      = "rules"      // the rules are invalid, or are not there
	Source     = "source"     // the source is not complete
	Locked     = "locked"     // another run is at work on the same mirrors
	Machine    = "machine"    // this machine failed: a full disk, for example
	Git        = "git"        // git failed, at fetching for example
	Remote     = "remote"     // a remote's server is not there, or failed
	Denied     = "denied"     // a remote's server does not take the credentials, or has no such repository
	Rejected   = "rejected"   // a remote's server does not want what is pushed
	Raced      = "raced"      // somebody else pushes too
	Stopped    = "stopped"    // the run was to end
	Other      = "other"
)

var kinds = []string{Conflict, Dependency, SmokeTest, Rules, Source, Locked, Machine, Git, Remote, Denied, Rejected, Raced, Stopped, Other}

// Kind is what kind of failure an error is.
func Kind(err error) string {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case is(context.Canceled, context.DeadlineExceeded):
		return Stopped
	case is(syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ENOMEM, syscall.EROFS, syscall.EMFILE, syscall.ENFILE):
		return Machine
	case as[*plan.ConflictError](err):
		return Conflict
	case as[*plan.DependencyError](err):
		return Dependency
	case as[*smoke.FailedError](err):
		return SmokeTest
	case as[*rules.InvalidError](err):
		return Rules
	case as[*mirror.LockedError](err):
		return Locked
	case as[*source.ShallowError](err):
		return Source
	case as[*remote.RacedError](err):
		return Raced
	case as[*remote.Error](err):
		return remoteKind(err)
	case as[*git.Error](err):
		return Git
	case as[*fs.PathError](err):
		return Machine
	}
	return Other
}

func remoteKind(err error) string {
	failed, _ := errors.AsType[*remote.Error](err)
	switch failed.Kind {
	case remote.Denied, remote.Missing:
		return Denied
	case remote.Rejected, remote.TooLarge:
		return Rejected
	case remote.Local:
		return Machine
	}
	return Remote
}

func as[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
