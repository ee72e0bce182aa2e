package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

var credentialPlugin = sync.OnceValues(func() (string, error) {
	path := filepath.Join(shared.Dir, "credential") // which goes away with the control plane
	build := exec.Command("go", "build", "-o", path, "./testdata/credential")
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return "", &buildError{out, err}
	}
	return path, nil
})

type buildError struct {
	output []byte
	err    error
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + string(e.output) }

// plugin is an exec plugin of one test.
type plugin struct {
	t           *testing.T
	status, log string
	config      *rest.Config
}

func newPlugin(t *testing.T) *plugin {
	t.Helper()
	ownCluster(t)
	path, err := credentialPlugin()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &plugin{t: t, status: filepath.Join(dir, "status"), log: filepath.Join(dir, "log")}
	p.config = anonymous(adminConfig(t))
	p.config.ExecProvider = &clientcmdapi.ExecConfig{
		APIVersion:      "client.authentication.k8s.io/v1",
		Command:         path,
		InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
		Env:             []clientcmdapi.ExecEnvVar{{Name: "CREDENTIAL_STATUS", Value: p.status}, {Name: "CREDENTIAL_LOG", Value: p.log}},
	}
	return p
}

// hand makes the plugin hand out a status from now on.
func (p *plugin) hand(status map[string]any) {
	p.t.Helper()
	data, err := json.Marshal(status)
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, p.status, string(data))
}

// runs is what the plugin was told at each of its runs.
func (p *plugin) runs() []string {
	p.t.Helper()
	data, err := os.ReadFile(p.log)
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestExecPluginHandsOutTokens(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	p := newPlugin(t)
	p.hand(map[string]any{"token": "nobody's"})
	maps := clientset(t, p.config).CoreV1().ConfigMaps("default")
	list := func() error {
		_, err := maps.List(deadline(t), metav1.ListOptions{})
		return err
	}
	if err := list(); !apierrors.IsUnauthorized(err) {
		t.Fatalf("%v, want an Unauthorized error", err)
	}
	// A refusal makes the client ask again, for the requests after it.
	p.hand(map[string]any{"token": cp.Token("limited")})
	if err := within(3, list); err != nil {
		t.Fatalf("with another token: %v", err)
	}
	n := len(p.runs())
	for range 3 {
		if err := list(); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.runs()) != n {
		t.Error("the plugin has run again while its token works")
	}
}

func TestExecPluginIsAskedAgainWhenItsTokenExpires(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	p := newPlugin(t)
	p.hand(map[string]any{"token": cp.Token("limited"), "expirationTimestamp": time.Now().Add(-time.Minute).Format(time.RFC3339)})
	maps := clientset(t, p.config).CoreV1().ConfigMaps("default")
	before := 0
	for range 3 {
		if _, err := maps.List(deadline(t), metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
		if n := len(p.runs()); n <= before {
			t.Errorf("a request with a token that is expired: the plugin has run %d times, and %d before it", n, before)
		} else {
			before = n
		}
	}
}

func TestExecPluginHandsOutCertificates(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	p := newPlugin(t)
	cert, key, err := cp.ClientCertificate("plugged", nil, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	p.hand(map[string]any{"clientCertificateData": string(cert), "clientKeyData": string(key)})
	mustBeUser(t, p.config, "plugged")
}

func TestExecPluginIsToldOfTheCluster(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	p := newPlugin(t)
	p.config.ExecProvider.ProvideClusterInfo = true
	p.hand(map[string]any{"token": cp.Token("limited")})
	mustBeUser(t, p.config, "limited")
	var told struct {
		Cluster struct {
			Server string `json:"server"`
		} `json:"cluster"`
	}
	runs := p.runs()
	if err := json.Unmarshal([]byte(runs[len(runs)-1]), &told); err != nil {
		t.Fatal(err)
	}
	if told.Cluster.Server != cp.URL {
		t.Errorf("told of the server %q, want %q", told.Cluster.Server, cp.URL)
	}
}

func TestExecPluginThatFails(t *testing.T) {
	t.Parallel()
	p := newPlugin(t) // and hands out nothing
	_, err := userOf(t, p.config)
	if err == nil || !strings.Contains(err.Error(), "credential") {
		t.Errorf("%v, want an error that names the plugin", err)
	}
	p.config.ExecProvider.Command = "e2e-no-such-plugin"
	p.config.ExecProvider.InstallHint = "install it from example.com"
	_, err = userOf(t, p.config)
	if err == nil || !strings.Contains(err.Error(), "install it from example.com") {
		t.Errorf("%v, want an error with the hint how to install the plugin", err)
	}
}
