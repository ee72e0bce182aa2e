package exec

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/tools/clientcmd/api"
)

func TestEqualConfigurationsShareAnAuthenticator(t *testing.T) {
	config := func(changes ...func(*api.ExecConfig)) *api.ExecConfig {
		c := &api.ExecConfig{
			Command:         "a-plugin",
			Args:            []string{"one"},
			Env:             []api.ExecEnvVar{{Name: "A", Value: "secret"}},
			APIVersion:      apiV1,
			InteractiveMode: api.IfAvailableExecInteractiveMode,
			Config:          &runtime.Unknown{Raw: []byte("1")},
		}
		for _, change := range changes {
			change(c)
		}
		return c
	}
	cluster := &clientauthentication.Cluster{Server: "https://cluster.example"}
	base, err := GetAuthenticator(config(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := GetAuthenticator(config(), cluster.DeepCopy()); err != nil || same != base {
		t.Errorf("an equal configuration has another authenticator; error %v", err)
	}

	seen := map[*Authenticator]string{base: "the base"}
	check := func(name string, c *api.ExecConfig, cluster *clientauthentication.Cluster) {
		t.Helper()
		a, err := GetAuthenticator(c, cluster)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if other, ok := seen[a]; ok {
			t.Errorf("%s shares the authenticator of %s", name, other)
		}
		seen[a] = name
	}
	check("another cluster", config(), &clientauthentication.Cluster{Server: "https://other.example"})
	check("another cluster's config", config(), &clientauthentication.Cluster{Server: "https://cluster.example", Config: &runtime.Unknown{Raw: []byte("2")}})
	check("no cluster", config(), nil)
	for name, change := range map[string]func(*api.ExecConfig){
		"Command":                 func(c *api.ExecConfig) { c.Command = "b-plugin" },
		"Args":                    func(c *api.ExecConfig) { c.Args = []string{"o", "ne"} },
		"Env":                     func(c *api.ExecConfig) { c.Env[0].Value = "other" },
		"APIVersion":              func(c *api.ExecConfig) { c.APIVersion = apiV1beta1 },
		"InstallHint":             func(c *api.ExecConfig) { c.InstallHint = "x" },
		"ProvideClusterInfo":      func(c *api.ExecConfig) { c.ProvideClusterInfo = true },
		"Config":                  func(c *api.ExecConfig) { c.Config = &runtime.Unknown{Raw: []byte("3")} },
		"InteractiveMode":         func(c *api.ExecConfig) { c.InteractiveMode = api.NeverExecInteractiveMode },
		"StdinUnavailable":        func(c *api.ExecConfig) { c.StdinUnavailable = true },
		"StdinUnavailableMessage": func(c *api.ExecConfig) { c.StdinUnavailableMessage = "x" },
		"PluginPolicy":            func(c *api.ExecConfig) { c.PluginPolicy.PolicyType = api.PluginPolicyDenyAll },
		"Allowlist": func(c *api.ExecConfig) {
			c.PluginPolicy = api.PluginPolicy{PolicyType: api.PluginPolicyAllowlist, Allowlist: []api.AllowlistEntry{{Command: "x"}}}
		},
	} {
		check(name, config(change), cluster)
	}
}

func TestChangesOfTheCallersConfigurationComeTooLate(t *testing.T) {
	plugin := newTestPlugin(t)
	plugin.token("abc")
	a := plugin.authenticator()
	plugin.config.Command = "something-else"
	if _, err := a.credentials(t.Context()); err != nil {
		t.Error(err)
	}
}

// odd is an object that cannot be encoded.
type odd struct{ Channel chan int }

func (o *odd) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }
func (o *odd) DeepCopyObject() runtime.Object   { return o }

func TestDataThatCannotBeEncodedHurtsOnlyIfThePluginIsToSeeIt(t *testing.T) {
	plugin := newTestPlugin(t)
	plugin.token("abc")
	for provide, wantErr := range map[bool]bool{false: false, true: true} {
		plugin.config.ProvideClusterInfo = provide
		a, err := GetAuthenticator(plugin.config, &clientauthentication.Cluster{Config: &odd{}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.credentials(t.Context()); (err != nil) != wantErr {
			t.Errorf("provided %t: error %v", provide, err)
		}
	}
}

func TestInvalidConfigurationsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		config *api.ExecConfig
		want   []string
	}{
		"none":       {nil, []string{"no configuration"}},
		"no version": {&api.ExecConfig{}, []string{`invalid apiVersion ""`, apiV1, apiV1beta1}},
		"a removed version": {&api.ExecConfig{APIVersion: "client.authentication.k8s.io/v1alpha1"},
			[]string{`invalid apiVersion "client.authentication.k8s.io/v1alpha1"`, "it was removed", apiV1}},
		"internal version": {&api.ExecConfig{APIVersion: "client.authentication.k8s.io/__internal"}, []string{"invalid apiVersion"}},
		"policy": {&api.ExecConfig{APIVersion: apiV1, PluginPolicy: api.PluginPolicy{PolicyType: "Sometimes"}},
			[]string{`invalid plugin policy: unknown plugin policy: "Sometimes"`}},
	} {
		_, err := GetAuthenticator(c.config, nil)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}
