package clientcmd_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const firstFile = `
current-context: one
clusters:
- name: red
  cluster: {server: https://first, certificate-authority: ca.pem}
users:
- name: me
  user: {exec: {command: ./plugin, apiVersion: v1}, tokenFile: /token}
extensions:
- {name: e, extension: 1}
`

const secondFile = `
current-context: two
preferences: {colors: true}
clusters:
- name: red
  cluster: {server: https://second, tls-server-name: other}
- name: blue
  cluster: {server: https://second}
users:
- name: me
  user: {token: t}
- name: you
  user: {exec: {command: plugin, apiVersion: v1}}
extensions:
- {name: e, extension: 2}
- {name: f, extension: 2}
`

func TestWhatComesFirstWins(t *testing.T) {
	first, second := file(t, "a", firstFile), file(t, "b", secondFile)
	rules := clientcmd.ClientConfigLoadingRules{Precedence: []string{"", first, filepath.Join(t.TempDir(), "missing"), second}}
	config, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(first)
	want := strings.ReplaceAll(`apiVersion: v1
clusters:
- cluster:
    server: https://second
  name: blue
- cluster:
    certificate-authority: DIR/ca.pem
    server: https://first
  name: red
contexts: null
current-context: one
extensions:
- extension: 1
  name: e
- extension: 2
  name: f
kind: Config
preferences:
  colors: true
users:
- name: me
  user:
    exec:
      apiVersion: v1
      args: null
      command: DIR/plugin
      env: null
      provideClusterInfo: false
    tokenFile: /token
- name: you
  user:
    exec:
      apiVersion: v1
      args: null
      command: plugin
      env: null
      provideClusterInfo: false
`, "DIR", dir)
	if got := written(t, config); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}

	rules.DoNotResolvePaths = true
	if config, err = rules.Load(); err != nil || config.Clusters["red"].CertificateAuthority != "ca.pem" {
		t.Errorf("unresolved: %v %v", config.Clusters["red"], err)
	}
}

func TestBrokenFilesAreNamedAndTheOthersRead(t *testing.T) {
	good, bad, worse := file(t, "good", firstFile), file(t, "bad", "kind: Config\nclusters:\n- name: []\n"), t.TempDir()
	rules := clientcmd.ClientConfigLoadingRules{Precedence: []string{bad, good, worse}}
	config, err := rules.Load()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{bad, "line 3", worse} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if config == nil || config.Clusters["red"] == nil {
		t.Errorf("got %v", config)
	}
}

func TestExplicitFileMustExist(t *testing.T) {
	rules := clientcmd.ClientConfigLoadingRules{ExplicitPath: filepath.Join(t.TempDir(), "missing"), Precedence: []string{file(t, "a", firstFile)}}
	if config, err := rules.Load(); !os.IsNotExist(err) || config != nil {
		t.Errorf("got %v, %v", config, err)
	}
	if config, err := rules.GetStartingConfig(); err != nil || !clientcmdapi.IsConfigEmpty(config) {
		t.Errorf("to start with: %v, %v", config, err)
	}
	rules.ExplicitPath = file(t, "b", secondFile)
	if config, err := rules.Load(); err != nil || config.CurrentContext != "two" {
		t.Errorf("got %v, %v", config, err)
	}
}

func TestAllMissingFilesAreOneWarning(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	var warnings []error
	rules := clientcmd.ClientConfigLoadingRules{Precedence: []string{a, b}, WarnIfAllMissing: true, Warner: func(err error) { warnings = append(warnings, err) }}
	if _, err := rules.Load(); err != nil {
		t.Fatal(err)
	}
	var missing clientcmd.MissingConfigError
	if len(warnings) != 1 || !errors.As(warnings[0], &missing) || len(missing.Missing) != 2 {
		t.Fatalf("got %v", warnings)
	}
	// An entry may be empty, as in KUBECONFIG=$UNSET:a, and a file unreadable.
	rules.Precedence = []string{"", a, file(t, "bad", "{{")}
	if _, err := rules.Load(); err == nil || len(warnings) != 2 || warnings[1].(clientcmd.MissingConfigError).Missing[0] != a {
		t.Errorf("got %v, %v", warnings, err)
	}
	for _, files := range [][]string{{a, b, file(t, "c", firstFile)}, {""}, nil} {
		rules.Precedence = files
		if _, err := rules.Load(); err != nil || len(warnings) != 2 {
			t.Errorf("%q: got %v, %v", files, warnings, err)
		}
	}
	clientcmd.WarningHandler(nil).Warn(missing) // must not panic
}

func TestFilesAreMigratedOnce(t *testing.T) {
	old, dir := file(t, "old", firstFile), t.TempDir()
	path := filepath.Join(dir, "sub", "new")
	rules := clientcmd.ClientConfigLoadingRules{Precedence: []string{path}, MigrationRules: map[string]string{
		path:                          old,
		filepath.Join(dir, "nothing"): filepath.Join(dir, "neither"),
	}}
	config, err := rules.Load()
	if err != nil || config.CurrentContext != "one" {
		t.Fatalf("got %v, %v", config, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	if err := os.WriteFile(old, []byte(secondFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if config, err = rules.Load(); err != nil || config.CurrentContext != "one" {
		t.Errorf("then %v, %v", config, err)
	}
	rules.MigrationRules = map[string]string{filepath.Join(dir, "x"): dir}
	if _, err := rules.Load(); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory: %v", err)
	}
}

func TestDefaultRulesFollowTheEnvironment(t *testing.T) {
	t.Setenv("KUBECONFIG", "")
	if got := clientcmd.NewDefaultClientConfigLoadingRules(); len(got.Precedence) != 1 || got.Precedence[0] != clientcmd.RecommendedHomeFile || got.WarnIfAllMissing {
		t.Errorf("got %+v", got)
	}
	t.Setenv("KUBECONFIG", strings.Join([]string{"/a", "/b", "/a"}, string(filepath.ListSeparator)))
	got := clientcmd.NewDefaultClientConfigLoadingRules()
	if strings.Join(got.Precedence, " ") != "/a /b" || !got.WarnIfAllMissing {
		t.Errorf("got %+v", got)
	}
}

func TestWhereNewStanzasGo(t *testing.T) {
	exists, missing, missingToo := file(t, "exists", ""), filepath.Join(t.TempDir(), "m1"), filepath.Join(t.TempDir(), "m2")
	for _, c := range []struct {
		name                     string
		explicit                 string
		files                    []string
		wantByRules, wantByPaths string
	}{
		{"explicit", "/x", []string{exists}, "/x", "/x"},
		{"one that exists", "", []string{missing, exists, missingToo}, exists, exists},
		{"none exists", "", []string{missing, missingToo}, missing, missingToo},
		{"empty names", "", []string{"", missing, ""}, missing, missing},
		{"none", "", nil, "", clientcmd.RecommendedHomeFile},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := clientcmd.ClientConfigLoadingRules{ExplicitPath: c.explicit, Precedence: c.files}
			if got := rules.GetDefaultFilename(); got != c.wantByRules {
				t.Errorf("rules: got %q, want %q", got, c.wantByRules)
			}
			options := access(t, c.files...)
			options.LoadingRules.ExplicitPath = c.explicit
			if got := options.GetDefaultFilename(); got != c.wantByPaths {
				t.Errorf("options: got %q, want %q", got, c.wantByPaths)
			}
			if options.IsExplicitFile() != (c.explicit != "") || rules.IsExplicitFile() != (c.explicit != "") ||
				options.GetExplicitFile() != c.explicit || rules.GetExplicitFile() != c.explicit {
				t.Error("the explicit file is wrong")
			}
		})
	}
}

func TestDefaultConfigIsRecognised(t *testing.T) {
	other := clientcmd.NewDefaultClientConfig(clientcmdapi.Config{}, &clientcmd.ConfigOverrides{ClusterDefaults: clientcmdapi.Cluster{Server: "http://localhost"}})
	rules := clientcmd.ClientConfigLoadingRules{DefaultClientConfig: other}
	if !rules.IsDefaultConfig(&restclient.Config{Host: "http://localhost"}) || rules.IsDefaultConfig(&restclient.Config{Host: "http://other"}) {
		t.Error("not told apart")
	}
	if (&clientcmd.ClientConfigLoadingRules{}).IsDefaultConfig(&restclient.Config{}) {
		t.Error("there is no default")
	}
}

func TestRelativePaths(t *testing.T) {
	for _, c := range []struct{ path, base, want string }{
		{"/a/b/c", "/a", "b/c"},
		{"/a", "/a/b", "/a"},
		{"/b", "/a", "/b"},
		{"b/y", "b", "y"},
		{"", "/a", ""},
		{"x/../../y", "b", "error"},
		{"x", "/a", "error"},
	} {
		got := filepath.FromSlash(c.path)
		err := clientcmd.RelativizePathWithNoBacksteps([]*string{&got}, filepath.FromSlash(c.base))
		if err != nil {
			got = "error"
		}
		if got != filepath.FromSlash(c.want) {
			t.Errorf("%q relative to %q: got %q, want %q (%v)", c.path, c.base, got, c.want, err)
		}
	}
	for _, err := range []error{
		clientcmd.RelativizeClusterLocalPaths(&clientcmdapi.Cluster{CertificateAuthority: "a"}),
		clientcmd.RelativizeAuthInfoLocalPaths(&clientcmdapi.AuthInfo{ClientKey: "a"}),
	} {
		if err == nil || !strings.Contains(err.Error(), "no location of origin") {
			t.Errorf("got %v", err)
		}
	}
	config := clientcmdapi.Config{Clusters: map[string]*clientcmdapi.Cluster{"c": {CertificateAuthority: "ca"}}}
	if err := clientcmd.ResolveConfigPaths(&config, "/d"); err != nil || config.Clusters["c"].CertificateAuthority != filepath.Join("/d", "ca") {
		t.Errorf("got %v, %v", config.Clusters["c"], err)
	}
	if err := clientcmd.RelativizeConfigPaths(&config, "/d"); err != nil || config.Clusters["c"].CertificateAuthority != "ca" {
		t.Errorf("got %v, %v", config.Clusters["c"], err)
	}
}
