package exec

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/metrics"
	"k8s.io/client-go/transport"
)

const (
	apiV1      = "client.authentication.k8s.io/v1"
	apiV1beta1 = "client.authentication.k8s.io/v1beta1"
)

var pluginPath = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "plugin")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "plugin")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	out, err := osexec.Command("go", "build", "-o", path, filepath.Join("testdata", "plugin", "main.go")).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	metrics.Register(metrics.RegisterOpts{
		ExecPluginCalls:       &counted,
		ExecPluginPolicyCalls: policyCalls{&counted},
		ClientCertExpiry:      &counted,
		ClientCertRotationAge: ages{&counted},
	})
	// Register may leave some out.
	metrics.ExecPluginPolicyCalls = policyCalls{&counted}
	linkYAML()
	code := m.Run()
	if path, err := pluginPath(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// counted keeps what was measured.
var counted measurements

type measurements struct {
	mu     sync.Mutex
	seen   map[string]int
	expiry *time.Time
}

func (m *measurements) note(event string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[string]int{}
	}
	m.seen[event]++
}

// during returns how often events were noted while f ran.
func (m *measurements) during(f func()) map[string]int {
	m.mu.Lock()
	m.seen = nil
	m.mu.Unlock()
	f()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}

func (m *measurements) Increment(code int, status string) { m.note(fmt.Sprint(status, " ", code)) }

func (m *measurements) Set(at *time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expiry = at
}

type policyCalls struct{ m *measurements }

func (p policyCalls) Increment(status string) { p.m.note(status) }

type ages struct{ m *measurements }

func (a ages) Observe(age time.Duration) { a.m.note("age " + age.Round(time.Hour).String()) }

// A testPlugin is a configuration of the test's plugin, and its directory.
type testPlugin struct {
	t      testing.TB
	dir    string
	config *api.ExecConfig
}

func newTestPlugin(t testing.TB) *testPlugin {
	t.Helper()
	path, err := pluginPath()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return &testPlugin{t, dir, &api.ExecConfig{
		Command:         path,
		APIVersion:      apiV1,
		InteractiveMode: api.NeverExecInteractiveMode,
		Env:             []api.ExecEnvVar{{Name: "PLUGIN_DIR", Value: dir}},
	}}
}

func (p *testPlugin) write(name, text string) {
	p.t.Helper()
	// Renamed into place, as the plugin may be reading.
	tmp := filepath.Join(p.dir, name+".tmp")
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *testPlugin) remove(name string) {
	p.t.Helper()
	if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *testPlugin) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *testPlugin) runs() int { return len(p.read("runs")) }

// answer makes the plugin print an ExecCredential with this status.
func (p *testPlugin) answer(status map[string]any) {
	p.t.Helper()
	text, err := json.Marshal(map[string]any{"kind": "ExecCredential", "apiVersion": p.config.APIVersion, "status": status})
	if err != nil {
		p.t.Fatal(err)
	}
	p.write("answer", string(text))
}

func (p *testPlugin) token(token string) { p.answer(map[string]any{"token": token}) }

func (p *testPlugin) authenticator() *Authenticator {
	p.t.Helper()
	a, err := GetAuthenticator(p.config, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// client returns a client that authenticates with the plugin.
func (p *testPlugin) client(config *transport.Config) *http.Client {
	p.t.Helper()
	if err := p.authenticator().UpdateTransportConfig(config); err != nil {
		p.t.Fatal(err)
	}
	rt, err := transport.New(config)
	if err != nil {
		p.t.Fatal(err)
	}
	return &http.Client{Transport: rt}
}

// newServer returns a server that accepts a token if ok says so, and tells the
// token it saw.
func newServer(t testing.TB, ok func(token string) bool) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ok(r.Header.Get("Authorization")) {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprint(w, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	return server
}

func anyToken(string) bool { return true }

// newCertificate returns a client certificate and its key, in PEM form, made
// some hours ago.
func newCertificate(t testing.TB, name string, age time.Duration) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-age),
		NotAfter:     now.Add(age + time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}
