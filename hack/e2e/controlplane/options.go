package controlplane

import (
	"io"
	"time"
)

// Options say what to run. The zero value runs a control plane with the API
// server's default APIs in a temporary directory, with binaries that are built
// when they are missing or old.
type Options struct {
	// Dir holds everything: certificates, credentials, kubeconfig files, logs and
	// etcd's data. It is made when missing and stays after Stop; a control plane
	// that was in it before is continued, on other ports. Empty: a temporary
	// directory, which Stop removes.
	Dir string

	// Keep leaves a temporary directory in place after Stop.
	Keep bool

	// BinDir holds kube-apiserver and etcd, for those who have them. Empty: the
	// environment's CONTROLPLANE_BIN, and when that is empty too, what [Build]
	// returns.
	BinDir string

	// APIServerArgs are further arguments of kube-apiserver, after those that Start
	// gives, for instance "--runtime-config=api/all=true". No secrets: every user
	// of a machine can read arguments.
	APIServerArgs []string

	// Log takes what etcd and kube-apiserver log, besides the log files in Dir, and
	// the progress of a build. Nil: files only.
	Log io.Writer

	// StopTimeout is how long a server may take to stop by itself before it is
	// killed. Zero: 10 seconds.
	StopTimeout time.Duration
}

// Users of every control plane, as they are called in audit, in RBAC rules and in
// refusals.
const (
	// AdminUser may do everything: it is in the group system:masters.
	AdminUser = "admin"

	// LimitedUser may get, list and watch config maps and pods of the namespace
	// "default", and nothing else than what every user may.
	LimitedUser = "limited"
)
