package exec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd/api"
)

func allow(commands ...string) api.PluginPolicy {
	list := []api.AllowlistEntry{}
	for _, command := range commands {
		list = append(list, api.AllowlistEntry{Command: command})
	}
	return api.PluginPolicy{PolicyType: api.PluginPolicyAllowlist, Allowlist: list}
}

func TestPoliciesThatContradictThemselvesAreInvalid(t *testing.T) {
	list := allow("x").Allowlist
	for name, c := range map[string]struct {
		policy api.PluginPolicy
		want   string // empty if it is valid
	}{
		"none":                    {api.PluginPolicy{}, ""},
		"all":                     {api.PluginPolicy{PolicyType: api.PluginPolicyAllowAll}, ""},
		"nothing":                 {api.PluginPolicy{PolicyType: api.PluginPolicyDenyAll}, ""},
		"a list":                  {allow("x", "/bin/y"), ""},
		"a list without a policy": {api.PluginPolicy{Allowlist: list}, `plugin policy is "" but allowlist is non-nil`},
		"all and a list":          {api.PluginPolicy{PolicyType: api.PluginPolicyAllowAll, Allowlist: list}, `"AllowAll" but allowlist is non-nil`},
		"nothing and a list":      {api.PluginPolicy{PolicyType: api.PluginPolicyDenyAll, Allowlist: list[:0]}, `"DenyAll" but allowlist is non-nil`},
		"no list":                 {api.PluginPolicy{PolicyType: api.PluginPolicyAllowlist}, "allowlist is unspecified"},
		"an empty list":           {allow(), `allowlist is empty; use "DenyAll" policy instead`},
		"an empty entry":          {allow("x", ""), "empty allowlist entry #2"},
		"a roundabout path":       {allow("/bin/../x"), `non-normalized file path: "/bin/../x" vs "/x"`},
		"an unknown type":         {api.PluginPolicy{PolicyType: "Ask"}, `unknown plugin policy: "Ask"`},
	} {
		err := ValidatePluginPolicy(c.policy)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got error %v, want %q", name, err, c.want)
		}
	}
}

func TestPolicyDecidesWhetherThePluginRuns(t *testing.T) {
	path, err := pluginPath()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, c := range map[string]struct {
		policy  api.PluginPolicy
		command string
		want    string // empty if it runs
	}{
		"no policy":                   {api.PluginPolicy{}, path, ""},
		"all":                         {api.PluginPolicy{PolicyType: api.PluginPolicyAllowAll}, "plugin", ""},
		"nothing":                     {api.PluginPolicy{PolicyType: api.PluginPolicyDenyAll}, path, `not allowed: policy set to "DenyAll"`},
		"name for name":               {allow("other", "plugin"), "plugin", ""},
		"name for path":               {allow("plugin"), path, ""},
		"path for name":               {allow(path), "plugin", ""},
		"path for path":               {allow(path), path, ""},
		"another name":                {allow("go"), "plugin", "is not permitted by the credential plugin allowlist"},
		"another path":                {allow("/bin/plugin"), "plugin", "is not permitted by the credential plugin allowlist"},
		"a directory":                 {allow(filepath.Dir(path)), path, "is not permitted"},
		"a command that is not there": {allow("no-such-plugin"), "no-such-plugin", "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			plugin := newTestPlugin(t)
			plugin.token("abc")
			plugin.config.Command, plugin.config.PluginPolicy = c.command, c.policy
			var err error
			events := counted.during(func() { _, err = plugin.run(nil) })
			if c.want == "" {
				if err != nil || plugin.runs() != 1 || events["allowed"] != 1 || events["denied"] != 0 {
					t.Errorf("got error %v after %d runs, counted %v", err, plugin.runs(), events)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || plugin.runs() != 0 {
				t.Errorf("got error %v after %d runs, want %q", err, plugin.runs(), c.want)
			}
			if events["allowed"] != 0 || events["denied"] != 1 {
				t.Errorf("counted %v", events)
			}
		})
	}
}
