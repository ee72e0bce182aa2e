package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ControlPlane is a running API server with its etcd.
type ControlPlane struct {
	// URL is the API server's address: https://127.0.0.1:PORT.
	URL string

	// Dir holds everything that belongs to the control plane.
	Dir string

	// CAFile has the certificate of the authority that signs the server's and the
	// clients' certificates.
	CAFile string

	// Kubeconfig files: the admin by token, the admin by client certificate, and
	// the limited user by token.
	AdminKubeconfig, AdminCertKubeconfig, LimitedKubeconfig string

	// EtcdLog and APIServerLog are the servers' log files.
	EtcdLog, APIServerLog string

	opts       Options
	ca, etcdCA *authority
	users      map[string]string // token by user
	ports      struct{ api, etcd, peer *reservation }
	bin        string
	unlock     func()
	temporary  bool
	failed     chan error // takes the first failure

	mu        sync.Mutex
	etcd, api *process
	stopped   bool
}

// Start runs a control plane and returns when it is ready. ctx bounds the start
// alone: what runs, runs until Stop.
//
// Where the binaries must be built first, that takes minutes; later starts take
// about three seconds. A server that does not come up is an error that ends with
// the last lines of its log.
func Start(ctx context.Context, opts Options) (_ *ControlPlane, err error) {
	if opts.StopTimeout == 0 {
		opts.StopTimeout = 10 * time.Second
	}
	bin, err := binaries(ctx, opts)
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{opts: opts, bin: bin, failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, cp.Stop())
		}
	}()
	if err := cp.prepare(); err != nil {
		return nil, fmt.Errorf("prepare a control plane: %w", err)
	}
	if err := cp.startEtcd(); err != nil {
		return nil, err
	}
	if err := cp.StartAPIServer(ctx); err != nil {
		return nil, err
	}
	if err := cp.grantLimitedUser(ctx); err != nil {
		return nil, fmt.Errorf("grant the user %q its few rights: %w", LimitedUser, err)
	}
	return cp, nil
}

// prepare makes the directory and all files in it, and takes the ports.
func (cp *ControlPlane) prepare() error {
	if err := cp.makeDir(); err != nil {
		return err
	}
	cp.EtcdLog = cp.path("etcd.log")
	cp.APIServerLog = cp.path("kube-apiserver.log")
	for _, p := range []**reservation{&cp.ports.api, &cp.ports.etcd, &cp.ports.peer} {
		r, err := reservePort()
		if err != nil {
			return err
		}
		*p = r
	}
	cp.URL = fmt.Sprintf("https://127.0.0.1:%d", cp.ports.api.port)
	if err := cp.makeCertificates(); err != nil {
		return err
	}
	if err := cp.makeTokens(); err != nil {
		return err
	}
	return cp.writeKubeconfigs()
}

// Stop ends both servers, API server first, and removes the directory if it was
// temporary. Calling it again does nothing.
func (cp *ControlPlane) Stop() error {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if cp.stopped {
		return nil
	}
	cp.stopped = true
	cp.api.stop(cp.opts.StopTimeout)
	cp.etcd.stop(cp.opts.StopTimeout)
	for _, r := range []*reservation{cp.ports.api, cp.ports.etcd, cp.ports.peer} {
		r.release()
	}
	var err error
	if cp.temporary && !cp.opts.Keep && cp.Dir != "" {
		err = os.RemoveAll(cp.Dir)
	}
	if cp.unlock != nil {
		cp.unlock()
	}
	return err
}

// Wait returns when ctx ends, with nil, or when a server ended that was not asked
// to, with an error that holds the last lines of its log. An API server that is
// down between [ControlPlane.KillAPIServer] and [ControlPlane.StartAPIServer] was
// asked to.
func (cp *ControlPlane) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-cp.failed:
		return err
	}
}

// Token is the bearer token of one of the users, "" for one that has none.
func (cp *ControlPlane) Token(user string) string { return cp.users[user] }

func (cp *ControlPlane) path(name ...string) string {
	return filepath.Join(append([]string{cp.Dir}, name...)...)
}

func (cp *ControlPlane) log() io.Writer {
	if cp.opts.Log == nil {
		return io.Discard
	}
	return cp.opts.Log
}
