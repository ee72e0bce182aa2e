package api_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd/api"
)

func twoContexts() *api.Config {
	return &api.Config{
		CurrentContext: "x",
		Contexts:       map[string]*api.Context{"x": {Cluster: "c", AuthInfo: "u"}, "y": {Cluster: "d"}},
		Clusters:       map[string]*api.Cluster{"c": {Server: "https://c"}, "d": {Server: "https://d"}},
		AuthInfos:      map[string]*api.AuthInfo{"u": {Token: "u"}, "v": {Token: "v"}},
		Extensions:     map[string]runtime.Object{"e": nil},
	}
}

func TestMinifyKeepsWhatTheContextNeeds(t *testing.T) {
	for _, c := range []struct {
		current                   string
		contexts, clusters, users []string
	}{
		{"x", []string{"x"}, []string{"c"}, []string{"u"}},
		{"y", []string{"y"}, []string{"d"}, nil},
	} {
		config := twoContexts()
		config.CurrentContext = c.current
		if err := api.MinifyConfig(config); err != nil {
			t.Fatal(err)
		}
		if !sameKeys(config.Contexts, c.contexts) || !sameKeys(config.Clusters, c.clusters) || !sameKeys(config.AuthInfos, c.users) || len(config.Extensions) != 1 {
			t.Errorf("%s: got %v, %v, %v", c.current, config.Contexts, config.Clusters, config.AuthInfos)
		}
	}
}

func sameKeys[V any](m map[string]V, keys []string) bool {
	for _, key := range keys {
		if _, ok := m[key]; !ok {
			return false
		}
	}
	return len(m) == len(keys)
}

func TestMinifyFailsWithoutChange(t *testing.T) {
	for want, change := range map[string]func(*api.Config){
		"current-context must exist": func(c *api.Config) { c.CurrentContext = "" },
		"cannot locate context z":    func(c *api.Config) { c.CurrentContext = "z" },
		"cannot locate cluster z":    func(c *api.Config) { c.Contexts["x"].Cluster = "z" },
		"cannot locate user z":       func(c *api.Config) { c.Contexts["x"].AuthInfo = "z" },
	} {
		config := twoContexts()
		change(config)
		before := config.DeepCopy()
		if err := api.MinifyConfig(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if !reflect.DeepEqual(config, before) {
			t.Errorf("%s: the config was changed", want)
		}
	}
}

func TestFlattenReadsFilesNextToTheConfig(t *testing.T) {
	dir := t.TempDir()
	origin := filepath.Join(dir, "config")
	for _, name := range []string{"ca", "cert", "key"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name+"!"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := &api.Config{
		Clusters:  map[string]*api.Cluster{"c": {LocationOfOrigin: origin, CertificateAuthority: "ca"}, "none": nil},
		AuthInfos: map[string]*api.AuthInfo{"u": {LocationOfOrigin: origin, ClientCertificate: "cert", ClientKey: filepath.Join(dir, "key"), TokenFile: "token"}, "none": nil},
	}
	if err := api.FlattenConfig(config); err != nil {
		t.Fatal(err)
	}
	cluster, user := config.Clusters["c"], config.AuthInfos["u"]
	if cluster.CertificateAuthority != "" || string(cluster.CertificateAuthorityData) != "ca!" {
		t.Errorf("got %+v", cluster)
	}
	if user.ClientCertificate != "" || string(user.ClientCertificateData) != "cert!" || user.ClientKey != "" || string(user.ClientKeyData) != "key!" {
		t.Errorf("got %+v", user)
	}
	if user.TokenFile != filepath.Join(dir, "token") {
		t.Errorf("token file %q", user.TokenFile)
	}
}

func TestFlattenErrorsNameTheStanza(t *testing.T) {
	for want, config := range map[string]*api.Config{
		`cluster "c": certificate-authority: open`:                                    {Clusters: map[string]*api.Cluster{"c": {CertificateAuthority: "/does/not/exist"}}},
		`user "u": client-key: open`:                                                  {AuthInfos: map[string]*api.AuthInfo{"u": {ClientKey: "/does/not/exist"}}},
		`user "u": client-certificate: cannot have values for both path and contents`: {AuthInfos: map[string]*api.AuthInfo{"u": {ClientCertificate: "a", ClientCertificateData: []byte("b")}}},
	} {
		if err := api.FlattenConfig(config); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRedactLeavesNoSecret(t *testing.T) {
	args := []string{"get-token", "--token=s3cret", "--client-secret", "s3cret", "--token-file=/f", "--password", "-v"}
	config := &api.Config{
		Clusters: map[string]*api.Cluster{
			"c":    {Server: "https://me:s3cret@a/b@c", ProxyURL: "http://me:s3cret%zz@b:8080"},
			"d":    {Server: "https://d?x=a:b@c", ProxyURL: "http://me@b"},
			"none": nil,
		},
		AuthInfos: map[string]*api.AuthInfo{
			"u": {Token: "s3cret", Password: "s3cret", Username: "me", TokenFile: "/f", ClientKeyData: []byte("s3cret"), ClientCertificateData: []byte("public")},
			"p": {AuthProvider: &api.AuthProviderConfig{Config: map[string]string{"id-token": "s3cret", "client-id": "id", "client-secret": "s3cret", "refresh-token": "", "token-url": "https://t"}}},
			"e": {Exec: &api.ExecConfig{Command: "c", Args: args, Env: []api.ExecEnvVar{{Name: "AWS_SECRET_ACCESS_KEY", Value: "s3cret"}, {Name: "AWS_PROFILE", Value: "dev"}}}},
			// nothing to hide
			"none": nil,
		},
	}
	if err := api.RedactSecrets(config); err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%+v", *config)
	for _, user := range config.AuthInfos {
		if user != nil {
			text, _ := json.Marshal(user)
			shown += string(text) + string(user.ClientKeyData)
		}
	}
	for _, cluster := range config.Clusters {
		if cluster != nil {
			shown += cluster.Server + cluster.ProxyURL
		}
	}
	if strings.Contains(shown, "s3cret") {
		t.Errorf("a secret is left: %s", shown)
	}
	for _, want := range []string{"https://me:REDACTED@a/b@c", "https://d?x=a:b@c", "http://me@b", `"client-id":"id"`, `"token-url":"https://t"`, `"refresh-token":""`,
		`"--token=REDACTED","--client-secret","REDACTED","--token-file=/f","--password","-v"`, `"value":"dev"`, `"username":"me"`, `"tokenFile":"/f"`} {
		if !strings.Contains(shown, want) {
			t.Errorf("%s is not in %s", want, shown)
		}
	}
	if string(config.AuthInfos["u"].ClientCertificateData) != "public" {
		t.Error("a certificate is no secret")
	}
	if args[1] != "--token=s3cret" {
		t.Error("the caller's arguments were changed")
	}
}

func TestShortenedDataCanBeReadInJSON(t *testing.T) {
	config := &api.Config{
		Clusters:  map[string]*api.Cluster{"c": {CertificateAuthorityData: []byte("x")}, "none": nil},
		AuthInfos: map[string]*api.AuthInfo{"u": {ClientCertificateData: []byte("x"), ClientKeyData: []byte("x"), Token: "t"}, "v": {}, "none": nil},
	}
	api.ShortenConfig(config)
	got, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"clusters":{"c":{"server":"","certificate-authority-data":"DATA+OMITTED"},"none":null},` +
		`"users":{"none":null,"u":{"client-certificate-data":"DATA+OMITTED","client-key-data":"DATA+OMITTED","token":"REDACTED"},"v":{}},"contexts":null,"current-context":""}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
}

func TestPaths(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, base, resolved, absolute string }{
		{"a", "/b", "/b/a", "/b/a"}, {"/a", "/b", "/a", "/a"}, {"", "/b", "", "/b"}, {"a", "", "a", filepath.Join(here, "a")},
	} {
		if got := api.ResolvePath(c.path, c.base); got != c.resolved {
			t.Errorf("resolve %q in %q: got %q", c.path, c.base, got)
		}
		if got, err := api.MakeAbs(c.path, c.base); err != nil || got != c.absolute {
			t.Errorf("make absolute %q in %q: got %q, %v", c.path, c.base, got, err)
		}
	}
}

func TestEveryFieldCountsForEmptiness(t *testing.T) {
	if !api.IsConfigEmpty(api.NewConfig()) || !api.IsConfigEmpty(&api.Config{Kind: "Config", APIVersion: "v1"}) {
		t.Error("an empty config is not empty")
	}
	for i, config := range []*api.Config{
		{CurrentContext: "x"}, {Preferences: api.Preferences{Colors: true}},
		{Preferences: api.Preferences{Extensions: map[string]runtime.Object{"e": nil}}},
		{Clusters: map[string]*api.Cluster{"": nil}}, {AuthInfos: map[string]*api.AuthInfo{"": nil}},
		{Contexts: map[string]*api.Context{"": nil}}, {Extensions: map[string]runtime.Object{"": nil}},
	} {
		if api.IsConfigEmpty(config) {
			t.Errorf("%d: empty", i)
		}
	}
}

func TestPluginsPrintWithoutSecrets(t *testing.T) {
	exec := api.ExecConfig{Command: "c", Args: []string{"s3cret"}, Env: []api.ExecEnvVar{{Name: "a", Value: "s3cret"}}, APIVersion: "v1", Config: &runtime.Unknown{Raw: []byte("s3cret")}}
	provider := api.AuthProviderConfig{Name: "p", Config: map[string]string{"a": "s3cret"}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, exec) + fmt.Sprintf(format, &provider); strings.Contains(got, "s3cret") || !strings.Contains(got, "REDACTED") {
			t.Errorf("%s: got %s", format, got)
		}
	}
	if got := fmt.Sprint(api.ExecConfig{}); got != `api.ExecConfig{Command: "", Args: []string(nil), Env: []ExecEnvVar(nil), APIVersion: "", ProvideClusterInfo: false, Config: runtime.Object(nil), StdinUnavailable: false}` {
		t.Errorf("got %s", got)
	}
}
