package clientcmd_test

import (
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func TestClientConfig(t *testing.T) {
	tokenFile := file(t, "token", "from-file\n")
	certificate := file(t, "cert", "x")
	host := restclient.Config{Host: "https://example.com"}
	with := func(change func(*restclient.Config)) restclient.Config {
		config := host
		config.BearerToken = "t"
		change(&config)
		return config
	}
	for _, c := range []struct {
		name      string
		change    func(*clientcmdapi.Config)
		overrides clientcmd.ConfigOverrides
		want      restclient.Config
	}{
		{"as it is", func(c *clientcmdapi.Config) {}, clientcmd.ConfigOverrides{}, with(func(*restclient.Config) {})},
		{"a cluster's settings", func(c *clientcmdapi.Config) {
			*c.Clusters["c"] = clientcmdapi.Cluster{Server: "https://a/b?c=d#e", TLSServerName: "n", CertificateAuthorityData: []byte("ca"), DisableCompression: true}
		}, clientcmd.ConfigOverrides{}, with(func(c *restclient.Config) {
			c.Host, c.DisableCompression = "https://a/b", true
			c.ServerName, c.CAData = "n", []byte("ca")
		})},
		{"no credentials without encryption", func(c *clientcmdapi.Config) {
			c.Clusters["c"].Server = "http://a"
			c.AuthInfos["u"].Impersonate = "i"
		}, clientcmd.ConfigOverrides{}, restclient.Config{Host: "http://a", Impersonate: restclient.ImpersonationConfig{UserName: "i"}}},
		{"a token in a file", func(c *clientcmdapi.Config) {
			*c.AuthInfos["u"] = clientcmdapi.AuthInfo{TokenFile: tokenFile}
		}, clientcmd.ConfigOverrides{}, with(func(c *restclient.Config) { c.BearerToken, c.BearerTokenFile = "from-file", tokenFile })},
		{"a certificate", func(c *clientcmdapi.Config) {
			*c.AuthInfos["u"] = clientcmdapi.AuthInfo{ClientCertificate: certificate, ClientKeyData: []byte("k")}
		}, clientcmd.ConfigOverrides{}, with(func(c *restclient.Config) { c.BearerToken, c.CertFile, c.KeyData = "", certificate, []byte("k") })},
		{"a key alone is of no use", func(c *clientcmdapi.Config) { c.AuthInfos["u"].ClientKeyData = []byte("k") },
			clientcmd.ConfigOverrides{}, with(func(*restclient.Config) {})},
		{"a password", func(c *clientcmdapi.Config) {
			*c.AuthInfos["u"] = clientcmdapi.AuthInfo{Username: "n", Password: "p"}
		}, clientcmd.ConfigOverrides{}, with(func(c *restclient.Config) { c.BearerToken, c.Username, c.Password = "", "n", "p" })},
		{"all that impersonation has", func(c *clientcmdapi.Config) {
			u := c.AuthInfos["u"]
			u.Impersonate, u.ImpersonateUID, u.ImpersonateGroups, u.ImpersonateUserExtra = "i", "1", []string{"g"}, map[string][]string{"a": {"b"}}
		}, clientcmd.ConfigOverrides{}, with(func(c *restclient.Config) {
			c.Impersonate = restclient.ImpersonationConfig{UserName: "i", UID: "1", Groups: []string{"g"}, Extra: map[string][]string{"a": {"b"}}}
		})},
		{"a timeout", func(*clientcmdapi.Config) {}, clientcmd.ConfigOverrides{Timeout: "7"}, with(func(c *restclient.Config) { c.Timeout = 7 * time.Second })},
		{"another server has another name", func(c *clientcmdapi.Config) { c.Clusters["c"].TLSServerName = "n" },
			clientcmd.ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{Server: "https://other"}}, with(func(c *restclient.Config) { c.Host = "https://other" })},
		{"another name", func(c *clientcmdapi.Config) { c.Clusters["c"].TLSServerName = "n" },
			clientcmd.ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{TLSServerName: "m"}}, with(func(c *restclient.Config) { c.ServerName = "m" })},
		{"insecure instead of an authority", func(c *clientcmdapi.Config) { c.Clusters["c"].CertificateAuthorityData = []byte("ca") },
			clientcmd.ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{InsecureSkipTLSVerify: true}}, with(func(c *restclient.Config) { c.Insecure = true })},
		{"an authority instead of insecure and data", func(c *clientcmdapi.Config) {
			c.Clusters["c"].InsecureSkipTLSVerify, c.Clusters["c"].CertificateAuthorityData = true, []byte("ca")
		}, clientcmd.ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{CertificateAuthority: certificate}}, with(func(c *restclient.Config) { c.CAFile = certificate })},
		{"a token instead of a token file", func(c *clientcmdapi.Config) { c.AuthInfos["u"].TokenFile = tokenFile },
			clientcmd.ConfigOverrides{AuthInfo: clientcmdapi.AuthInfo{Token: "o"}}, with(func(c *restclient.Config) { c.BearerToken = "o" })},
		{"files instead of data", func(c *clientcmdapi.Config) {
			*c.AuthInfos["u"] = clientcmdapi.AuthInfo{ClientCertificateData: []byte("x"), ClientKeyData: []byte("k")}
		}, clientcmd.ConfigOverrides{AuthInfo: clientcmdapi.AuthInfo{ClientCertificate: certificate, ClientKey: certificate}},
			with(func(c *restclient.Config) { c.BearerToken, c.CertFile, c.KeyFile = "", certificate, certificate })},
		{"another cluster and user", func(c *clientcmdapi.Config) {
			c.Clusters["d"], c.AuthInfos["v"] = &clientcmdapi.Cluster{Server: "https://d"}, &clientcmdapi.AuthInfo{Token: "v"}
		}, clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Cluster: "d", AuthInfo: "v"}}, with(func(c *restclient.Config) { c.Host, c.BearerToken = "https://d", "v" })},
		{"another context where the current one is gone", func(c *clientcmdapi.Config) { c.CurrentContext = "gone" },
			clientcmd.ConfigOverrides{CurrentContext: "x"}, with(func(*restclient.Config) {})},
		{"defaults", func(c *clientcmdapi.Config) { *c = clientcmdapi.Config{} },
			clientcmd.ConfigOverrides{ClusterDefaults: clientcmdapi.Cluster{Server: "http://localhost"}}, restclient.Config{Host: "http://localhost"}},
		{"defaults come last", func(*clientcmdapi.Config) {},
			clientcmd.ConfigOverrides{ClusterDefaults: clientcmdapi.Cluster{Server: "http://localhost"}}, with(func(*restclient.Config) {})},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := usable()
			c.change(&config)
			before := config.DeepCopy()
			got, err := clientcmd.NewNonInteractiveClientConfig(config, "", &c.overrides, nil).ClientConfig()
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("got %#v, want %#v", *got, c.want)
			}
			if !reflect.DeepEqual(&config, before) {
				t.Error("the config was changed")
			}
		})
	}
}

func TestProxyIsUsed(t *testing.T) {
	config := usable()
	config.Clusters["c"].ProxyURL = "socks5://localhost:1080"
	got, err := clientcmd.NewDefaultClientConfig(config, nil).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	request, _ := http.NewRequest("GET", got.Host, nil)
	if proxy, err := got.Proxy(request); err != nil || proxy.String() != "socks5://localhost:1080" {
		t.Errorf("got %v, %v", proxy, err)
	}
}

func TestPluginsKnowTheirCluster(t *testing.T) {
	config := usable()
	plugin(func(e *clientcmdapi.ExecConfig) { e.InstallHint = "run \x1b[31mthis\nnow" })(&config)
	extension := &runtime.Unknown{Raw: []byte(`{"audience":"a"}`)}
	config.Clusters["c"].Extensions = map[string]runtime.Object{"client.authentication.k8s.io/exec": extension}
	config.AuthInfos["u"].Token = ""
	got, err := clientcmd.NewDefaultClientConfig(config, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	if got.ExecProvider.Config != extension {
		t.Errorf("got %v", got.ExecProvider.Config)
	}
	if hint := got.ExecProvider.InstallHint; hint != "run U+001B[31mthis\nnow" {
		t.Errorf("the hint can change the terminal: %q", hint)
	}
	if config.AuthInfos["u"].Exec.Config != nil {
		t.Error("another cluster's plugin would see it too")
	}
}

func TestPluginSettingsGoToTheFile(t *testing.T) {
	path := file(t, "config", "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://a'}}]\nusers: [{name: u, user: {auth-provider: {name: p}}}]\n")
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: path}
	got, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	if err := got.AuthConfigPersister.Persist(map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	if config := loaded(t, path).AuthInfos["u"].AuthProvider.Config; config["k"] != "v" {
		t.Errorf("got %v", config)
	}
}

func TestMissingNamesAreErrors(t *testing.T) {
	for _, c := range []struct {
		overrides clientcmd.ConfigOverrides
		want      string
		notFound  bool
	}{
		{clientcmd.ConfigOverrides{CurrentContext: "z"}, `context "z" does not exist`, true},
		{clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Cluster: "z"}}, `cluster "z" does not exist`, false},
		{clientcmd.ConfigOverrides{Context: clientcmdapi.Context{AuthInfo: "z"}}, `auth info "z" does not exist`, false},
		{clientcmd.ConfigOverrides{Timeout: "z"}, "invalid timeout", false},
	} {
		_, err := clientcmd.NewDefaultClientConfig(usable(), &c.overrides).ClientConfig()
		if err == nil || !strings.Contains(err.Error(), c.want) || clientcmd.IsContextNotFound(err) != c.notFound {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, err := clientcmd.NewNonInteractiveClientConfig(usable(), "z", nil, nil).ClientConfig(); !clientcmd.IsContextNotFound(err) {
		t.Errorf("got %v", err)
	}
	config := usable()
	config.AuthInfos["u"] = &clientcmdapi.AuthInfo{TokenFile: "/does/not/exist"}
	if _, err := clientcmd.NewDefaultClientConfig(config, nil).ClientConfig(); !os.IsNotExist(err) {
		t.Errorf("a token file: %v", err)
	}
	if _, err := clientcmd.RESTConfigFromKubeConfig(nil); !clientcmd.IsEmptyConfig(err) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := clientcmd.RESTConfigFromKubeConfig([]byte("a: b: c")); err == nil {
		t.Error("garbage: no error")
	}
}

func TestNamespace(t *testing.T) {
	for _, c := range []struct {
		context, override, want string
	}{
		{"", "", "default"}, {"a", "", "a"}, {"a", "b", "b"}, {"", "b", "b"},
	} {
		config := usable()
		config.Contexts["x"].Namespace = c.context
		overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: c.override}}
		got, overridden, err := clientcmd.NewDefaultClientConfig(config, overrides).Namespace()
		if err != nil || got != c.want || overridden != (c.override != "") {
			t.Errorf("%+v: got %q, %v, %v", c, got, overridden, err)
		}
	}
}

func TestMergedRawConfigShowsOverrides(t *testing.T) {
	config := usable()
	merged, err := clientcmd.NewDefaultClientConfig(config, &clientcmd.ConfigOverrides{
		AuthInfo:    clientcmdapi.AuthInfo{Token: "o"},
		ClusterInfo: clientcmdapi.Cluster{Server: "https://o"},
		Context:     clientcmdapi.Context{Namespace: "o"},
	}).MergedRawConfig()
	if err != nil {
		t.Fatal(err)
	}
	if merged.AuthInfos["u"].Token != "o" || merged.Clusters["c"].Server != "https://o" || merged.Contexts["x"].Namespace != "o" {
		t.Errorf("got %s", written(t, &merged))
	}
	if !reflect.DeepEqual(config, usable()) {
		t.Error("the config was changed")
	}
}

func TestMergedRawConfigKeepsOverridesOfWhatHasNoName(t *testing.T) {
	overrides := &clientcmd.ConfigOverrides{
		AuthInfo:    clientcmdapi.AuthInfo{Token: "o"},
		ClusterInfo: clientcmdapi.Cluster{Server: "https://o"},
	}
	for what, change := range map[string]func(*clientcmdapi.Config){
		"no context is current":     func(c *clientcmdapi.Config) { c.CurrentContext = "" },
		"there is no context":       func(c *clientcmdapi.Config) { *c = clientcmdapi.Config{} },
		"the context has no user":   func(c *clientcmdapi.Config) { c.Contexts["x"].AuthInfo = "" },
		"the context has only that": func(c *clientcmdapi.Config) { c.Contexts["x"].Cluster = "" },
	} {
		config := usable()
		change(&config)
		merged, err := clientcmd.NewDefaultClientConfig(config, overrides).MergedRawConfig()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		client, err := clientcmd.NewDefaultClientConfig(merged, nil).ClientConfig()
		if err != nil || client.Host != "https://o" || client.BearerToken != "o" {
			t.Errorf("%s: a client of the merged config: %v, %v", what, client, err)
		}
	}
}

func TestMergedRawConfigIsAnErrorWhereNoClientCouldBeMade(t *testing.T) {
	for what, c := range map[string]struct {
		change    func(*clientcmdapi.Config)
		overrides *clientcmd.ConfigOverrides
	}{
		"nothing is known":            {func(c *clientcmdapi.Config) { *c = clientcmdapi.Config{} }, nil},
		"no such context":             {func(c *clientcmdapi.Config) { c.CurrentContext = "gone" }, nil},
		"no such cluster":             {func(c *clientcmdapi.Config) { c.Contexts["x"].Cluster = "gone" }, nil},
		"no such context to override": {func(*clientcmdapi.Config) {}, &clientcmd.ConfigOverrides{CurrentContext: "gone"}},
	} {
		config := usable()
		c.change(&config)
		client := clientcmd.NewDefaultClientConfig(config, c.overrides)
		_, want := client.ClientConfig()
		if merged, err := client.MergedRawConfig(); err == nil || want == nil || err.Error() != want.Error() {
			t.Errorf("%s: got %s, %v, want %v", what, written(t, &merged), err, want)
		}
	}
}

func TestCredentialsAreAskedForOnce(t *testing.T) {
	config := usable()
	config.AuthInfos["u"] = clientcmdapi.NewAuthInfo()
	client := clientcmd.NewInteractiveClientConfig(config, "", nil, strings.NewReader("me\nmy word\n"), nil)
	for range 2 {
		got, err := client.ClientConfig()
		if err != nil {
			t.Fatal(err)
		}
		if got.Username != "me" || got.Password != "my word" {
			t.Errorf("got %q, %q", got.Username, got.Password)
		}
	}
	if _, err := clientcmd.NewInteractiveClientConfig(config, "", nil, strings.NewReader(""), nil).ClientConfig(); err == nil {
		t.Error("no answer: no error")
	}
	if _, err := clientcmd.NewInteractiveClientConfig(usable(), "", nil, strings.NewReader(""), nil).ClientConfig(); err != nil {
		t.Errorf("asked though there are credentials: %v", err)
	}
}
