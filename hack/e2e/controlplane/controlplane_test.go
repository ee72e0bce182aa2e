package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start runs a control plane; where its binaries are missing they are built, which
// is told of.
func start(t *testing.T, opts Options) *ControlPlane {
	t.Helper()
	if _, err := Build(t.Context(), os.Stderr, Etcd, APIServer); err != nil {
		t.Fatal(err)
	}
	cp, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cp
}

// get asks the API server with a bearer token, on a connection of its own.
func get(t *testing.T, cp *ControlPlane, token, path string) (status int, body []byte, err error) {
	t.Helper()
	pem, err := os.ReadFile(cp.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, cp.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

func mustGet(t *testing.T, cp *ControlPlane, token, path string, want int) []byte {
	t.Helper()
	status, body, err := get(t, cp, token, path)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	if status != want {
		t.Fatalf("GET %s: %d %s, want %d", path, status, body, want)
	}
	return body
}

func TestUsersMayDoWhatTheyAreSaidTo(t *testing.T) {
	t.Parallel()
	cp := start(t, Options{})
	const core = "/api/v1/namespaces/default/"
	mustGet(t, cp, cp.Token(AdminUser), core+"secrets", 200)
	mustGet(t, cp, cp.Token(LimitedUser), core+"configmaps", 200)
	mustGet(t, cp, cp.Token(LimitedUser), core+"secrets", 403)
	mustGet(t, cp, "nobody's", core+"configmaps", 401)
	if cp.Token("nobody") != "" {
		t.Error("nobody has a token")
	}
	status, answer, err := cp.do(t.Context(), "GET", core+"secrets", nil)
	if err != nil || status != 200 {
		t.Errorf("the admin by certificate: %d %s, %v", status, answer, err)
	}
	cert, key, err := cp.ClientCertificate("late", nil, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, err := request(t.Context(), "GET", cp.URL+core+"configmaps", nil, cp.ca, pair); err != nil || status != 401 {
		t.Errorf("an expired certificate: %d, %v, want 401", status, err)
	}
}

func TestOnlyTheAPIServerReachesEtcd(t *testing.T) {
	t.Parallel()
	cp := start(t, Options{})
	admin, err := tls.LoadX509KeyPair(cp.path("admin.crt"), cp.path("admin.key"))
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string]tls.Certificate{"without a certificate": {}, "with the admin's": admin} {
		if status, answer, err := request(t.Context(), "POST", cp.etcdURL()+"/v3/maintenance/status", []byte("{}"), cp.etcdCA, pair); err == nil {
			t.Errorf("%s etcd answers: %d %s", name, status, answer)
		}
	}
	if err := cp.Compact(t.Context()); err != nil {
		t.Errorf("compact: %v", err)
	}
}

// TestNothingIsReadableByOthers: neither files nor process arguments give secrets
// away, and nothing listens but on loopback.
func TestNothingIsReadableByOthers(t *testing.T) {
	t.Parallel()
	cp := start(t, Options{})
	secrets := []string{cp.Token(AdminUser), cp.Token(LimitedUser)}
	err := filepath.WalkDir(cp.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // etcd renames its files
		}
		if err != nil {
			return err
		}
		if perm := info.Mode().Perm(); perm&0o077 != 0 {
			t.Errorf("%s has mode %o", path, perm)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, p := range []*process{cp.api, cp.etcd} {
		for _, arg := range p.cmd.Args {
			for _, secret := range secrets {
				if strings.Contains(arg, secret) {
					t.Errorf("%s has a token among its arguments", p.name)
				}
			}
			if strings.HasSuffix(arg, "=0.0.0.0") {
				t.Errorf("%s: %s", p.name, arg)
			}
		}
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	cp := start(t, Options{})
	api, etcd := cp.api, cp.etcd
	if err := cp.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*process{api, etcd} {
		select {
		case <-p.done:
		default:
			t.Errorf("%s still runs", p.name)
		}
	}
	if _, err := os.Stat(cp.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if err := cp.Stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
	if err := cp.StartAPIServer(t.Context()); err == nil {
		t.Error("the API server starts after Stop")
	}
}

func TestKilledServerComesBackAtItsAddress(t *testing.T) {
	t.Parallel()
	cp := start(t, Options{})
	ended := make(chan error, 1)
	go func() { ended <- cp.Wait(t.Context()) }()
	for _, end := range []func(){cp.KillAPIServer, cp.StopAPIServer} {
		end()
		if _, _, err := get(t, cp, "", "/readyz"); err == nil {
			t.Fatal("the API server answers after its end")
		}
		// Nobody else gets its port meanwhile.
		if l, err := net.Listen("tcp4", strings.TrimPrefix(cp.URL, "https://")); err == nil {
			l.Close()
			t.Error("the API server's port is free while it is down")
		}
		if err := cp.StartAPIServer(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustGet(t, cp, cp.Token(AdminUser), "/api/v1/namespaces/default", 200)
	}
	// What was asked to end has not failed; what ends by itself has.
	cp.etcd.cmd.Process.Kill()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "etcd ended") {
		t.Errorf("Wait: %v, want one that says which server ended", err)
	}
}

func TestDirectoryIsContinued(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "kept")
	first := start(t, Options{Dir: dir})
	namespace, err := json.Marshal(map[string]any{"metadata": map[string]any{"name": "kept"}})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer, err := first.do(t.Context(), "POST", "/api/v1/namespaces", namespace); err != nil || status != 201 {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second control plane in the same directory: %v", err)
	}
	token := first.Token(AdminUser)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, Options{Dir: dir})
	mustGet(t, second, token, "/api/v1/namespaces/kept", 200)
}

func TestServerThatDoesNotStartTellsWhy(t *testing.T) {
	t.Parallel()
	if _, err := Build(t.Context(), os.Stderr, Etcd, APIServer); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{APIServerArgs: []string{"--no-such-flag"}})
	if err == nil || !strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("%v, want the end of the server's log", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a start that is cancelled: %v", err)
	}
	if _, err := Start(t.Context(), Options{BinDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "etcd") {
		t.Errorf("no binaries: %v, want an error that names one", err)
	}
}

func TestDirectoriesOfKilledOnesAreSwept(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	dir := func(name string, files ...string) string {
		t.Helper()
		path := filepath.Join(temp, name)
		for _, file := range files {
			if err := writeSecret(filepath.Join(path, file), nil); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	left := dir("controlplane-1", lockName, "tokens.csv")
	kept := dir("controlplane-2", lockName, keepName)
	foreign := dir("controlplane-3", "something")
	used := dir("controlplane-4", lockName)
	unlock, err := lockFile(filepath.Join(used, lockName), false)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	sweep(temp)
	if exists(left) {
		t.Error("what a killed control plane left is still there")
	}
	for _, path := range []string{kept, foreign, used} {
		if !exists(path) {
			t.Errorf("%s was removed", path)
		}
	}
}
