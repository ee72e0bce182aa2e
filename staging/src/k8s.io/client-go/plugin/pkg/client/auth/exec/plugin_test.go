package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/tools/clientcmd/api"
)

// run runs a plugin as its authenticator does.
func (p *testPlugin) run(cluster *clientauthentication.Cluster) (*credentials, error) {
	p.t.Helper()
	a, err := newAuthenticator(p.config, cluster)
	if err != nil {
		p.t.Fatal(err)
	}
	return a.plugin.run()
}

func TestPluginSeesArgumentsEnvironmentAndInfo(t *testing.T) {
	t.Setenv("GREETING", "from the process")
	t.Setenv("KUBERNETES_EXEC_INFO", "of another plugin")
	cluster := &clientauthentication.Cluster{
		Server:                   "https://cluster.example",
		CertificateAuthorityData: []byte("CA"),
		Config:                   &runtime.Unknown{Raw: []byte(`{"audience":"x"}`), ContentType: runtime.ContentTypeJSON},
	}
	const withoutCluster = `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/%s","spec":{"interactive":false}}`
	for name, c := range map[string]struct {
		change  func(*api.ExecConfig)
		cluster *clientauthentication.Cluster
		want    string
	}{
		"nothing asked for": {
			func(*api.ExecConfig) {}, cluster,
			"args []\nenv \"from the process\"\ninfo " + fmt.Sprintf(withoutCluster, "v1") + "\nstdin \"\"\n"},
		"arguments and variables": {
			func(c *api.ExecConfig) {
				c.Args = []string{"get", "a token"}
				c.Env = append(c.Env,
					api.ExecEnvVar{Name: "GREETING", Value: "first"},
					api.ExecEnvVar{Name: "GREETING", Value: "last"},
					api.ExecEnvVar{Name: "KUBERNETES_EXEC_INFO", Value: "mine"})
			}, nil,
			"args [\"get\" \"a token\"]\nenv \"last\"\ninfo " + fmt.Sprintf(withoutCluster, "v1") + "\nstdin \"\"\n"},
		"cluster": {
			func(c *api.ExecConfig) { c.ProvideClusterInfo = true }, cluster,
			"args []\nenv \"from the process\"\ninfo " +
				`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":` +
				`{"server":"https://cluster.example","certificate-authority-data":"Q0E=","config":{"audience":"x"}},"interactive":false}}` +
				"\nstdin \"\"\n"},
		"cluster that is not known": {
			func(c *api.ExecConfig) { c.ProvideClusterInfo, c.APIVersion = true, apiV1beta1 }, nil,
			"args []\nenv \"from the process\"\ninfo " + fmt.Sprintf(withoutCluster, "v1beta1") + "\nstdin \"\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			plugin := newTestPlugin(t)
			c.change(plugin.config)
			plugin.token("abc")
			if _, err := plugin.run(c.cluster); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, plugin.read("seen")); diff != "" {
				t.Errorf("the plugin saw (-want +got):\n%s", diff)
			}
		})
	}
}

// replace puts a file in the place of one of the process's, for one test.
func replace(t *testing.T, at **os.File, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := *at
	*at = file
	t.Cleanup(func() { *at = before; file.Close() })
	return path
}

func TestStandardInputIsGivenToPluginsThatMayAsk(t *testing.T) {
	for _, c := range []struct {
		mode        api.ExecInteractiveMode
		terminal    bool
		unavailable bool
		message     string
		gets        bool
		err         string
	}{
		{mode: api.NeverExecInteractiveMode},
		{mode: api.NeverExecInteractiveMode, terminal: true},
		{mode: api.IfAvailableExecInteractiveMode},
		{mode: api.IfAvailableExecInteractiveMode, terminal: true, gets: true},
		{mode: api.IfAvailableExecInteractiveMode, terminal: true, unavailable: true},
		{mode: api.AlwaysExecInteractiveMode, terminal: true, gets: true},
		{mode: api.AlwaysExecInteractiveMode, err: "standard input is not a terminal"},
		{mode: api.AlwaysExecInteractiveMode, terminal: true, unavailable: true, err: "standard input is unavailable"},
		{mode: api.AlwaysExecInteractiveMode, terminal: true, unavailable: true, message: "it holds a manifest",
			err: "standard input is unavailable: it holds a manifest"},
		{mode: "", err: `unknown interactiveMode: ""`},
		{mode: "Sometimes", err: `unknown interactiveMode: "Sometimes"`},
	} {
		t.Run(fmt.Sprintf("%s, terminal %t, unavailable %t", c.mode, c.terminal, c.unavailable), func(t *testing.T) {
			replace(t, &os.Stdin, "my password")
			plugin := newTestPlugin(t)
			plugin.token("abc")
			plugin.config.InteractiveMode = c.mode
			plugin.config.StdinUnavailable = c.unavailable
			plugin.config.StdinUnavailableMessage = c.message
			a, err := newAuthenticator(plugin.config, nil)
			if err != nil {
				t.Fatal(err)
			}
			a.plugin.isTerminal = func() bool { return c.terminal }

			_, err = a.plugin.run()
			if c.err != "" {
				if err == nil || err.Error() != "exec plugin cannot support interactive mode: "+c.err {
					t.Errorf("got error %v, want %s", err, c.err)
				}
				if plugin.runs() != 0 {
					t.Error("the plugin ran")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			seen := plugin.read("seen")
			if got := strings.Contains(seen, "my password"); got != c.gets {
				t.Errorf("the plugin got the standard input: %t, want %t", got, c.gets)
			}
			if !strings.Contains(seen, fmt.Sprintf(`"interactive":%t`, c.gets)) {
				t.Errorf("the plugin was told otherwise: %s", seen)
			}
		})
	}
}

func TestFileIsNoTerminal(t *testing.T) {
	replace(t, &os.Stdin, "")
	plugin := newTestPlugin(t)
	plugin.config.InteractiveMode = api.AlwaysExecInteractiveMode
	if _, err := plugin.run(nil); err == nil || !strings.Contains(err.Error(), "not a terminal") {
		t.Errorf("got error %v", err)
	}
}

func TestStandardErrorIsPassedThrough(t *testing.T) {
	path := replace(t, &os.Stderr, "")
	plugin := newTestPlugin(t)
	plugin.token("abc")
	plugin.write("stderr", "Open https://login.example in a browser\n")
	if _, err := plugin.run(nil); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "Open https://login.example in a browser\n" {
		t.Errorf("got %q and error %v", got, err)
	}
}

func TestFailuresToRunAreExplainedAndCounted(t *testing.T) {
	notExecutable := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notExecutable, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	isExit := func(err error) bool { _, ok := errors.AsType[*osexec.ExitError](err); return ok }
	for name, c := range map[string]struct {
		command, hint, exit string
		text                []string
		count               string
		is                  func(error) bool
	}{
		"exit code": {exit: "7", text: []string{"exec: executable ", " failed with exit code 7"},
			count: "plugin_execution_error 7", is: isExit},
		"not in PATH": {command: "no-such-plugin", hint: "brew install no-such-plugin",
			text:  []string{"exec: executable no-such-plugin not found", "PATH", documentation, "\n\nbrew install no-such-plugin"},
			count: "plugin_not_found_error 1", is: is(osexec.ErrNotFound)},
		"no such file": {command: "/no/such/plugin",
			text:  []string{"exec: executable /no/such/plugin not found", documentation},
			count: "plugin_not_found_error 1", is: is(fs.ErrNotExist)},
		"not executable": {command: notExecutable, hint: "brew install it",
			text:  []string{"exec: fork/exec ", "permission denied"},
			count: "plugin_not_found_error 1", is: is(fs.ErrPermission)},
	} {
		t.Run(name, func(t *testing.T) {
			plugin := newTestPlugin(t)
			if c.command != "" {
				plugin.config.Command = c.command
			}
			if c.exit != "" {
				plugin.write("exit", c.exit)
			}
			plugin.config.InstallHint = c.hint
			var err error
			events := counted.during(func() { _, err = plugin.run(nil) })
			if err == nil || !c.is(err) {
				t.Fatalf("got error %v", err)
			}
			for _, text := range c.text {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
			if strings.Contains(name, "not executable") && strings.Contains(err.Error(), c.hint) {
				t.Errorf("%q advises to install what is there", err)
			}
			if diff := cmp.Diff(map[string]int{c.count: 1, "allowed": 1}, events); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
}
