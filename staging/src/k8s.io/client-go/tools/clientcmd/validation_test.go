package clientcmd_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// usable returns a config with nothing wrong in it.
func usable() clientcmdapi.Config {
	return clientcmdapi.Config{
		CurrentContext: "x",
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: "https://example.com"}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": {Token: "t"}},
	}
}

func plugin(change func(*clientcmdapi.ExecConfig)) func(*clientcmdapi.Config) {
	return func(config *clientcmdapi.Config) {
		exec := &clientcmdapi.ExecConfig{Command: "p", APIVersion: "v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode}
		change(exec)
		config.AuthInfos["u"].Exec = exec
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	cluster := func(change func(*clientcmdapi.Cluster)) func(*clientcmdapi.Config) {
		return func(config *clientcmdapi.Config) { change(config.Clusters["c"]) }
	}
	user := func(change func(*clientcmdapi.AuthInfo)) func(*clientcmdapi.Config) {
		return func(config *clientcmdapi.Config) { change(config.AuthInfos["u"]) }
	}
	data := []byte("x")
	for _, c := range []struct {
		name   string
		change func(*clientcmdapi.Config)
		want   string // empty if nothing is wrong
	}{
		{"nothing", func(*clientcmdapi.Config) {}, ""},
		{"no such cluster", func(c *clientcmdapi.Config) { c.Contexts["x"].Cluster = "z" }, `cluster "z" was not found for context "x"`},
		{"no such user", func(c *clientcmdapi.Config) { c.Contexts["x"].AuthInfo = "z" }, `user "z" was not found for context "x"`},
		{"no cluster", func(c *clientcmdapi.Config) { c.Contexts["x"].Cluster = "" }, `cluster was not specified for context "x"`},
		{"no user", func(c *clientcmdapi.Config) { c.Contexts["x"].AuthInfo = "" }, `user was not specified for context "x"`},
		{"a namespace that is none", func(c *clientcmdapi.Config) { c.Contexts["x"].Namespace = "a/b" }, `namespace "a/b" for context "x" does not conform`},
		{"a nil cluster", func(c *clientcmdapi.Config) { c.Clusters["c"] = nil }, `no server found for cluster "c"`},
		{"no server", cluster(func(c *clientcmdapi.Cluster) { c.Server = "" }), `no server found for cluster "c"`},
		{"where that is", cluster(func(c *clientcmdapi.Cluster) { c.Server, c.LocationOfOrigin = "", "/f" }), `no server found for cluster "c" (in /f)`},
		{"a proxy of another kind", cluster(func(c *clientcmdapi.Cluster) { c.ProxyURL = "ftp://x" }), `invalid 'proxy-url' "ftp://x" for cluster "c": unsupported scheme "ftp"`},
		{"a proxy that is no URL", cluster(func(c *clientcmdapi.Cluster) { c.ProxyURL = "http://u:s3cret@x:y" }), `invalid 'proxy-url' "http://u:REDACTED@x:y" for cluster "c"`},
		{"two authorities", cluster(func(c *clientcmdapi.Cluster) { c.CertificateAuthority, c.CertificateAuthorityData = missing, data }), "certificate-authority-data and certificate-authority are both specified for c"},
		{"no such authority", cluster(func(c *clientcmdapi.Cluster) { c.CertificateAuthority = missing }), "unable to read certificate-authority " + missing + " for c due to"},
		{"a token and a password", user(func(u *clientcmdapi.AuthInfo) { u.Password = "p" }), "more than one authentication method found for u; found [token basicAuth]"},
		{"two certificates", user(func(u *clientcmdapi.AuthInfo) {
			u.ClientCertificate, u.ClientCertificateData, u.ClientKeyData = missing, data, data
		}), "client-cert-data and client-cert are both specified for u"},
		{"two keys", user(func(u *clientcmdapi.AuthInfo) {
			u.ClientCertificateData, u.ClientKey, u.ClientKeyData = data, missing, data
		}), "client-key-data and client-key are both specified for u"},
		{"no key", user(func(u *clientcmdapi.AuthInfo) { u.ClientCertificateData = data }), "client-key-data or client-key must be specified for u"},
		{"no such certificate", user(func(u *clientcmdapi.AuthInfo) { u.ClientCertificate, u.ClientKeyData = missing, data }), "unable to read client-cert " + missing + " for u"},
		{"no such key", user(func(u *clientcmdapi.AuthInfo) { u.ClientCertificateData, u.ClientKey = data, missing }), "unable to read client-key " + missing + " for u"},
		{"a key alone", user(func(u *clientcmdapi.AuthInfo) { u.ClientKey = missing }), ""},
		{"groups of nobody", user(func(u *clientcmdapi.AuthInfo) { u.ImpersonateGroups = []string{"g"} }), "requesting uid, groups or user-extra for u without impersonating a user"},
		{"groups of somebody", user(func(u *clientcmdapi.AuthInfo) { u.Impersonate, u.ImpersonateGroups = "a", []string{"g"} }), ""},
		{"a plugin", plugin(func(*clientcmdapi.ExecConfig) {}), ""},
		{"no command", plugin(func(e *clientcmdapi.ExecConfig) { e.Command = "" }), "command must be specified for u"},
		{"no version", plugin(func(e *clientcmdapi.ExecConfig) { e.APIVersion = "" }), "apiVersion must be specified for u"},
		{"no mode", plugin(func(e *clientcmdapi.ExecConfig) { e.InteractiveMode = "" }), "interactiveMode must be specified for u"},
		{"another mode", plugin(func(e *clientcmdapi.ExecConfig) { e.InteractiveMode = "z" }), `invalid interactiveMode for u: "z"`},
		{"a variable without name", plugin(func(e *clientcmdapi.ExecConfig) { e.Env = make([]clientcmdapi.ExecEnvVar, 1) }), "env variable name must be specified for u"},
		{"two plugins", func(c *clientcmdapi.Config) {
			plugin(func(*clientcmdapi.ExecConfig) {})(c)
			c.AuthInfos["u"].AuthProvider = &clientcmdapi.AuthProviderConfig{Name: "p"}
		}, "authProvider cannot be provided in combination with an exec plugin for u"},
		{"another policy", policy("z", nil), `unknown plugin policy: "z"`},
		{"a list for no list", policy(clientcmdapi.PluginPolicyDenyAll, []clientcmdapi.AllowlistEntry{}), `plugin policy is "DenyAll" but allowlist is non-nil`},
		{"no list", policy(clientcmdapi.PluginPolicyAllowlist, nil), "allowlist is unspecified"},
		{"an empty entry", policy(clientcmdapi.PluginPolicyAllowlist, make([]clientcmdapi.AllowlistEntry, 1)), "empty allowlist entry #1"},
		{"a list", policy(clientcmdapi.PluginPolicyAllowlist, []clientcmdapi.AllowlistEntry{{Command: "p"}}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := usable()
			c.change(&config)
			for what, err := range map[string]error{"Validate": clientcmd.Validate(config), "ConfirmUsable": clientcmd.ConfirmUsable(config, "")} {
				switch {
				case c.want == "" && err != nil:
					t.Errorf("%s: %v", what, err)
				case c.want == "":
				case err == nil || !strings.Contains(err.Error(), c.want):
					t.Errorf("%s: got %v, want %s", what, err, c.want)
				case !clientcmd.IsConfigurationInvalid(err) || clientcmd.IsEmptyConfig(err) || clientcmd.IsContextNotFound(err):
					t.Errorf("%s: an error of another kind: %v", what, err)
				case strings.Contains(err.Error(), "s3cret"):
					t.Errorf("%s: the error tells a secret: %v", what, err)
				case strings.Contains(c.want, "unable to read") && !errors.Is(err, os.ErrNotExist):
					t.Errorf("%s: does not wrap the reason: %v", what, err)
				}
			}
		})
	}
}

func policy(kind clientcmdapi.PolicyType, list []clientcmdapi.AllowlistEntry) func(*clientcmdapi.Config) {
	return plugin(func(e *clientcmdapi.ExecConfig) {
		e.PluginPolicy = clientcmdapi.PluginPolicy{PolicyType: kind, Allowlist: list}
	})
}

func TestOnlyTheContextInUseHasToBeRight(t *testing.T) {
	config := usable()
	config.Contexts["broken"] = &clientcmdapi.Context{Cluster: "z", AuthInfo: "z"}
	config.Clusters["broken"] = clientcmdapi.NewCluster()
	if err := clientcmd.ConfirmUsable(config, ""); err != nil {
		t.Error(err)
	}
	err := clientcmd.Validate(config)
	if err == nil || !errors.Is(err, clientcmd.ErrEmptyCluster) || !strings.Contains(err.Error(), `"broken"`) {
		t.Errorf("got %v", err)
	}
	if err := clientcmd.ConfirmUsable(config, "broken"); !clientcmd.IsConfigurationInvalid(err) {
		t.Errorf("got %v", err)
	}
}

func TestErrorsAreToldApart(t *testing.T) {
	empty, other := clientcmdapi.Config{}, usable()
	other.CurrentContext = ""
	for _, c := range []struct {
		name                     string
		err                      error
		empty, notFound, invalid bool
	}{
		{"nil", nil, false, false, false},
		{"ErrEmptyConfig", clientcmd.ErrEmptyConfig, true, false, false},
		{"wrapped", fmt.Errorf("x: %w", clientcmd.NewEmptyConfigError("y")), true, false, false},
		{"an empty config", clientcmd.Validate(empty), true, false, true},
		{"an empty config is not usable", clientcmd.ConfirmUsable(empty, "x"), true, false, true},
		{"no context", clientcmd.ConfirmUsable(other, ""), false, true, true},
		{"a context that is not there", clientcmd.ConfirmUsable(other, "z"), false, true, true},
		{"another error", errors.New("z"), false, false, false},
	} {
		if got := clientcmd.IsEmptyConfig(c.err); got != c.empty {
			t.Errorf("%s: empty is %v", c.name, got)
		}
		if got := clientcmd.IsContextNotFound(c.err); got != c.notFound {
			t.Errorf("%s: not found is %v", c.name, got)
		}
		if got := clientcmd.IsConfigurationInvalid(c.err); got != c.invalid {
			t.Errorf("%s: invalid is %v", c.name, got)
		}
	}
	var aggregate interface{ Errors() []error }
	other.Contexts["x"].Cluster, other.Contexts["x"].AuthInfo = "", ""
	if err := clientcmd.ConfirmUsable(other, "x"); !errors.As(err, &aggregate) || len(aggregate.Errors()) != 3 {
		t.Errorf("got %v", err)
	}
}
