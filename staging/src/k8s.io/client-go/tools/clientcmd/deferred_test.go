package clientcmd

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	restclient "k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// pod is an InClusterConfig.
type pod struct {
	InClusterConfig
	possible bool
}

func (p pod) Possible() bool { return p.possible }

func (p pod) ClientConfig() (*restclient.Config, error) {
	return &restclient.Config{Host: "https://pod"}, nil
}

func (p pod) Namespace() (string, bool, error) { return "pod", false, nil }

func TestPodTakesThePlaceOfNoConfiguration(t *testing.T) {
	config := func(namespace string) *clientcmdapi.Config {
		return &clientcmdapi.Config{
			CurrentContext: "x",
			Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u", Namespace: namespace}},
			Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: "https://config"}},
		}
	}
	for _, c := range []struct {
		name                string
		config              *clientcmdapi.Config
		overrides           *ConfigOverrides
		inPod               bool
		wantHost, wantSpace string
	}{
		{"a config", config("ns"), &ConfigOverrides{}, true, "https://config", "ns"},
		{"a config without namespace", config(""), &ConfigOverrides{}, true, "https://config", "pod"},
		{"a config without namespace, outside", config(""), nil, false, "https://config", "default"},
		{"a config that names the default namespace", config("default"), nil, true, "https://config", "default"},
		{"an override", config("default"), &ConfigOverrides{Context: clientcmdapi.Context{Namespace: "o"}}, true, "https://config", "o"},
		{"no config", &clientcmdapi.Config{}, &ConfigOverrides{}, true, "https://pod", "pod"},
		{"no config, outside", &clientcmdapi.Config{}, &ConfigOverrides{}, false, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			loads := 0
			loader := &ClientConfigGetter{func() (*clientcmdapi.Config, error) { loads++; return c.config, nil }}
			deferred := NewNonInteractiveDeferredLoadingClientConfig(loader, c.overrides).(*DeferredLoadingClientConfig)
			deferred.icc = pod{possible: c.inPod}
			client, err := deferred.ClientConfig()
			if c.wantHost == "" {
				if !IsEmptyConfig(err) {
					t.Errorf("got %v, %v", client, err)
				}
			} else if err != nil || client.Host != c.wantHost {
				t.Errorf("got %v, %v", client, err)
			}
			if namespace, _, _ := deferred.Namespace(); namespace != c.wantSpace {
				t.Errorf("namespace %q, want %q", namespace, c.wantSpace)
			}
			if loads != 1 {
				t.Errorf("loaded %d times", loads)
			}
		})
	}
}

func TestBrokenConfigurationIsNotReplacedByThePod(t *testing.T) {
	broken := &clientcmdapi.Config{CurrentContext: "gone"}
	deferred := NewNonInteractiveDeferredLoadingClientConfig(&ClientConfigGetter{func() (*clientcmdapi.Config, error) { return broken, nil }}, nil).(*DeferredLoadingClientConfig)
	deferred.icc = pod{possible: true}
	if _, err := deferred.ClientConfig(); !IsContextNotFound(err) {
		t.Errorf("got %v", err)
	}
	if _, _, err := deferred.Namespace(); !IsContextNotFound(err) {
		t.Errorf("got %v", err)
	}
}

func TestLoadingIsTriedAgainAfterAnError(t *testing.T) {
	failure := errors.New("not yet")
	fail := true
	deferred := NewNonInteractiveDeferredLoadingClientConfig(&ClientConfigGetter{func() (*clientcmdapi.Config, error) {
		if fail {
			return nil, failure
		}
		return &clientcmdapi.Config{CurrentContext: "x"}, nil
	}}, nil)
	if _, err := deferred.RawConfig(); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	fail = false
	if raw, err := deferred.RawConfig(); err != nil || raw.CurrentContext != "x" {
		t.Errorf("got %v, %v", raw, err)
	}
}

func TestPodTakesOverrides(t *testing.T) {
	provider := func() (*restclient.Config, error) {
		return &restclient.Config{Host: "https://pod", BearerToken: "p", BearerTokenFile: "/p"}, nil
	}
	for name, c := range map[string]struct {
		overrides *ConfigOverrides
		want      restclient.Config
	}{
		"none":  {nil, restclient.Config{Host: "https://pod", BearerToken: "p", BearerTokenFile: "/p"}},
		"empty": {&ConfigOverrides{}, restclient.Config{Host: "https://pod", BearerToken: "p", BearerTokenFile: "/p"}},
		"a server and a token": {
			&ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{Server: "https://o"}, AuthInfo: clientcmdapi.AuthInfo{Token: "o"}},
			restclient.Config{Host: "https://o", BearerToken: "o"}},
		"a token file and an authority": {
			&ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{CertificateAuthority: "/ca"}, AuthInfo: clientcmdapi.AuthInfo{TokenFile: "/o"}},
			restclient.Config{Host: "https://pod", BearerTokenFile: "/o", TLSClientConfig: restclient.TLSClientConfig{CAFile: "/ca"}}},
	} {
		got, err := (&inClusterClientConfig{overrides: c.overrides, provider: provider}).ClientConfig()
		if err != nil || got.Host != c.want.Host || got.BearerToken != c.want.BearerToken || got.BearerTokenFile != c.want.BearerTokenFile || got.CAFile != c.want.CAFile {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestPodNamespaceFromTheEnvironment(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "env")
	config := &inClusterClientConfig{overrides: &ConfigOverrides{}}
	if got, overridden, err := config.Namespace(); got != "env" || overridden || err != nil {
		t.Errorf("got %q, %v, %v", got, overridden, err)
	}
	config.overrides.Context.Namespace = "o"
	if got, overridden, err := config.Namespace(); got != "o" || !overridden || err != nil {
		t.Errorf("got %q, %v, %v", got, overridden, err)
	}
}

func TestBuildConfigFromFlags(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	path := filepath.Join(t.TempDir(), "config")
	if _, err := BuildConfigFromFlags("", path); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := BuildConfigFromFlags("", ""); !IsEmptyConfig(err) {
		t.Errorf("nothing: %v", err)
	}
	if got, err := BuildConfigFromFlags("https://m", ""); err != nil || got.Host != "https://m" {
		t.Errorf("a server: %v, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("clusters: [{name: c, cluster: {server: 'https://f'}}]\ncontexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := BuildConfigFromFlags("", path); err != nil || got.Host != "https://f" {
		t.Errorf("a file: %v, %v", got, err)
	}
	if got, err := BuildConfigFromFlags("https://m", path); err != nil || got.Host != "https://m" {
		t.Errorf("a file and a server: %v, %v", got, err)
	}
	getter := func() (*clientcmdapi.Config, error) { return LoadFromFile(path) }
	if got, err := BuildConfigFromKubeconfigGetter("", getter); err != nil || got.Host != "https://f" {
		t.Errorf("a getter: %v, %v", got, err)
	}
}
