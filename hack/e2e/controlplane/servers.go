package controlplane

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"
)

// Services get their addresses from serviceRange, the API server's own the first.
const (
	serviceRange   = "10.0.0.0/16"
	firstServiceIP = "10.0.0.1"
)

// startTimeout is how long an API server may take to be ready.
const startTimeout = 3 * time.Minute

func (cp *ControlPlane) etcdURL() string {
	return fmt.Sprintf("https://127.0.0.1:%d", cp.ports.etcd.port)
}

// startEtcd does not wait: the API server does.
func (cp *ControlPlane) startEtcd() error {
	client := cp.etcdURL()
	peer := fmt.Sprintf("https://127.0.0.1:%d", cp.ports.peer.port)
	args := []string{
		"--name=controlplane",
		"--data-dir=" + cp.path("etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=controlplane=" + peer,
		// Ports of a directory that is continued are new. One member needs no peers,
		// but it must know itself.
		"--force-new-cluster=" + fmt.Sprint(exists(cp.path("etcd", "member"))),
		"--socket-reuse-port=true", // shared with our reservation
		"--log-level=warn",
		// Nobody counts on this data after a crash of the machine, and syncing is
		// most of what a write costs.
		"--unsafe-no-fsync=true",
	}
	for _, prefix := range []string{"", "peer-"} {
		args = append(args,
			"--"+prefix+"cert-file="+cp.path("etcd-server.crt"),
			"--"+prefix+"key-file="+cp.path("etcd-server.key"),
			"--"+prefix+"trusted-ca-file="+cp.path("etcd-ca.crt"),
			"--"+prefix+"client-cert-auth=true",
		)
	}
	p, err := startProcess(filepath.Join(cp.bin, "etcd"), args, cp.EtcdLog, cp.log(), cp.failed)
	if err != nil {
		return err
	}
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.etcd = p
	return nil
}

// StartAPIServer starts the API server after [ControlPlane.KillAPIServer] or
// [ControlPlane.StopAPIServer], on the same port, with the same certificates and
// credentials, and returns when it is ready. A server that runs is left alone.
func (cp *ControlPlane) StartAPIServer(ctx context.Context) error {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if cp.stopped {
		return errors.New("start the API server: the control plane was stopped")
	}
	if cp.api != nil {
		return nil
	}
	args := append([]string{
		"--etcd-servers=" + cp.etcdURL(),
		"--etcd-cafile=" + cp.path("etcd-ca.crt"),
		"--etcd-certfile=" + cp.path("etcd-client.crt"),
		"--etcd-keyfile=" + cp.path("etcd-client.key"),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", cp.ports.api.port),
		"--permit-port-sharing=true", // with our reservation
		// Loopback is no address for others to reach a server at, so none is published.
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + cp.path("server.crt"),
		"--tls-private-key-file=" + cp.path("server.key"),
		"--client-ca-file=" + cp.CAFile,
		"--token-auth-file=" + cp.path("tokens.csv"),
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=" + serviceRange,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + cp.path("service-account.key"),
		"--service-account-signing-key-file=" + cp.path("service-account.key"),
		// It waits for an account that a controller would make in each namespace.
		"--disable-admission-plugins=ServiceAccount",
		"--allow-privileged=true",
		"--profiling=false",
	}, cp.opts.APIServerArgs...)
	p, err := startProcess(filepath.Join(cp.bin, "kube-apiserver"), args, cp.APIServerLog, cp.log(), cp.failed)
	if err != nil {
		return err
	}
	if err := cp.awaitReady(ctx, p); err != nil {
		p.kill()
		return err
	}
	cp.api = p
	return nil
}

// KillAPIServer ends the API server as a crash would: connections are reset,
// nothing is said to clients. Until [ControlPlane.StartAPIServer] new connections
// are refused.
func (cp *ControlPlane) KillAPIServer() {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.api.kill()
	cp.api = nil
}

// StopAPIServer ends the API server as an upgrade would: it finishes what it is
// at, and ends watches.
func (cp *ControlPlane) StopAPIServer() {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.api.stop(cp.opts.StopTimeout)
	cp.api = nil
}

// awaitReady returns nil when /readyz says so, with everything that a post-start
// hook makes in place, and an error when the server has ended before that.
func (cp *ControlPlane) awaitReady(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it takes more than %v", startTimeout))
	defer cancel()
	var last error
	for {
		status, answer, err := cp.do(ctx, http.MethodGet, "/readyz", nil)
		if err == nil && status == http.StatusOK {
			return nil
		}
		if last = err; err == nil {
			last = fmt.Errorf("/readyz: %d %s", status, answer)
		}
		select {
		case <-p.done:
			return p.failure()
		case <-cp.etcd.exited():
			return cp.etcd.failure()
		case <-ctx.Done():
			return fmt.Errorf("wait for kube-apiserver to be ready: %w; last seen: %w; the end of %s:\n%s", context.Cause(ctx), last, p.logPath, tail(p.logPath))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// do sends one request to the API server as the admin, on a connection of its
// own.
func (cp *ControlPlane) do(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	pair, err := tls.LoadX509KeyPair(cp.path("admin.crt"), cp.path("admin.key"))
	if err != nil {
		return 0, nil, err
	}
	return request(ctx, method, cp.URL+path, body, cp.ca, pair)
}

func request(ctx context.Context, method, url string, body []byte, ca *authority, pair tls.Certificate) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
		DisableKeepAlives: true,
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, answer, err
}
