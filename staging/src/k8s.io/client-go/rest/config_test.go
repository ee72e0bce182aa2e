package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/flowcontrol"
)

const secret = "hunter2"

func secretConfig() *Config {
	return &Config{
		Host:            "https://user:" + secret + "@server.example",
		Username:        "alice",
		Password:        secret,
		BearerToken:     secret,
		TLSClientConfig: TLSClientConfig{KeyData: []byte(secret), CertData: []byte("cert"), CAData: []byte("ca"), ServerName: "name"},
		AuthProvider:    &clientcmdapi.AuthProviderConfig{Name: "plugin", Config: map[string]string{"token": secret}},
		ExecProvider: &clientcmdapi.ExecConfig{Command: "login", Args: []string{secret},
			Env: []clientcmdapi.ExecEnvVar{{Name: "PASSWORD", Value: secret}}},
		WarningHandler: NewWarningWriter(os.Stderr, WarningWriterOptions{}),
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	config := secretConfig()
	var bytes []string // the secret as a byte slice is printed, in both bases
	for _, b := range []byte(secret) {
		bytes = append(bytes, fmt.Sprint(b))
	}
	forms := []string{secret, strings.Join(bytes, " "), strings.Join(bytes, ", "), fmt.Sprintf("%x", secret)}
	for name, value := range map[string]any{
		"pointer":          config,
		"value":            *config,
		"TLS":              config.TLSClientConfig,
		"pointer to TLS":   &config.TLSClientConfig,
		"slice":            []*Config{config},
		"slice of values":  []Config{*config},
		"struct":           struct{ C Config }{*config},
		"anonymous values": []any{*config, config},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, value)
			for _, form := range forms {
				if strings.Contains(text, form) {
					t.Errorf("%s printed by %s shows the secret: %s", name, verb, text)
				}
			}
		}
	}
	for _, text := range []string{config.String(), config.GoString(), config.TLSClientConfig.String(), config.TLSClientConfig.GoString()} {
		if strings.Contains(text, secret) {
			t.Errorf("the secret shows: %s", text)
		}
	}
}

func TestPrintedConfigTellsWhatIsNoSecret(t *testing.T) {
	text := fmt.Sprint(secretConfig())
	for _, want := range []string{`Host:"https://user:xxxxx@server.example"`, `Username:"alice"`, `Password:"--- REDACTED ---"`, `Name:"plugin"`, `Command:"login"`, `ServerName:"name"`, `WarningHandler:*rest.warningWriter`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	var none *Config
	if none.String() != "<nil>" || fmt.Sprint(none) != "<nil>" {
		t.Errorf("nil prints as %s, %s", none.String(), fmt.Sprint(none))
	}
}

// filled returns a Config that has something in each field.
func filled(t *testing.T) *Config {
	config := secretConfig()
	config.APIPath = "/api"
	config.ContentConfig = testConfig("").ContentConfig
	config.ContentType, config.AcceptContentTypes = "a/b", "c/d"
	config.BearerTokenFile = "/token"
	config.Impersonate = ImpersonationConfig{UserName: "bob", UID: "1", Groups: []string{"g"}, Extra: map[string][]string{"k": {"v"}}}
	config.AuthConfigPersister = persister{}
	config.Insecure, config.CertFile, config.KeyFile, config.CAFile, config.NextProtos = true, "/cert", "/key", "/ca", []string{"http/1.1"}
	config.UserAgent, config.DisableCompression = "agent", true
	config.Transport = roundTripper(nil)
	config.WrapTransport = func(rt http.RoundTripper) http.RoundTripper { return rt }
	config.QPS, config.Burst, config.RateLimiter = 1, 2, flowcontrol.NewFakeAlwaysRateLimiter()
	config.WarningHandlerWithContext = NoWarnings{}
	config.Timeout = time.Minute
	config.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no") }
	config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	for v, i := reflect.ValueOf(*config), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Fatalf("this test says nothing about the field %s", v.Type().Field(i).Name)
		}
	}
	return config
}

type persister struct{}

func (persister) Persist(map[string]string) error { return nil }

// changed lists the fields in which two configs differ. Functions are only looked at for nil.
func changed(a, b *Config) []string {
	var names []string
	va, vb := reflect.ValueOf(*a), reflect.ValueOf(*b)
	for i := range va.NumField() {
		fa, fb := va.Field(i), vb.Field(i)
		same := false
		if fa.Kind() == reflect.Func {
			same = fa.IsNil() == fb.IsNil()
		} else if fa.Kind() == reflect.Interface && !fb.IsNil() {
			same = fa.Elem().Type() == fb.Elem().Type()
		} else {
			same = reflect.DeepEqual(fa.Interface(), fb.Interface())
		}
		if !same {
			names = append(names, va.Type().Field(i).Name)
		}
	}
	return names
}

func TestCopyHasAllFieldsAndIsApart(t *testing.T) {
	config := filled(t)
	c := CopyConfig(config)
	if diff := changed(config, c); diff != nil {
		t.Errorf("the copy differs in %v", diff)
	}
	c.Host, c.Insecure = "other", false
	if config.Host == "other" || !config.Insecure {
		t.Error("a change of the copy changed the original")
	}
}

func TestAnonymousConfigHasNothingOfTheUser(t *testing.T) {
	config := filled(t)
	anonymous := AnonymousClientConfig(config)
	want := "[Username Password BearerToken BearerTokenFile Impersonate AuthProvider AuthConfigPersister ExecProvider TLSClientConfig Transport WrapTransport]"
	if got := fmt.Sprint(changed(config, anonymous)); got != want {
		t.Errorf("changed %v, want %v", got, want)
	}
	tls := anonymous.TLSClientConfig
	if want := (TLSClientConfig{Insecure: true, ServerName: "name", CAFile: "/ca", CAData: []byte("ca"), NextProtos: []string{"http/1.1"}}); !reflect.DeepEqual(tls, want) {
		t.Errorf("TLS settings %v", tls)
	}
}

func TestTLSDeepCopyIsApart(t *testing.T) {
	in := &TLSClientConfig{CertData: []byte("a"), KeyData: []byte("b"), CAData: []byte("c"), NextProtos: []string{"d"}}
	out := in.DeepCopy()
	if !reflect.DeepEqual(in, out) {
		t.Fatal("the copy differs")
	}
	out.CertData[0], out.KeyData[0], out.CAData[0], out.NextProtos[0] = 'x', 'x', 'x', "x"
	if in.CertData[0] == 'x' || in.KeyData[0] == 'x' || in.CAData[0] == 'x' || in.NextProtos[0] == "x" {
		t.Error("a change of the copy changed the original")
	}
	if (*TLSClientConfig)(nil).DeepCopy() != nil {
		t.Error("the copy of nil is not nil")
	}
}

func TestUserAgentIsMadeOfTheBuild(t *testing.T) {
	for _, tc := range []struct{ command, version, commit, want string }{
		{"/usr/bin/tool", "v0.36.1", "0123456789abcdef", "tool/v0.36.1 (linux/amd64) kubernetes/0123456"},
		{"tool", "v0.36.1-alpha.1-dirty", "abc", "tool/v0.36.1 (linux/amd64) kubernetes/abc"},
		{"", "", "", "unknown/unknown (linux/amd64) kubernetes/unknown"},
	} {
		if got := userAgent(tc.command, tc.version, "linux", "amd64", tc.commit); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
	config := &Config{}
	if err := SetKubernetesDefaults(config); err != nil || config.UserAgent != DefaultKubernetesUserAgent() {
		t.Errorf("user agent %q, error %v", config.UserAgent, err)
	}
	config.UserAgent = "mine"
	if err := SetKubernetesDefaults(config); err != nil || config.UserAgent != "mine" {
		t.Errorf("user agent %q, error %v", config.UserAgent, err)
	}
	if got := AddUserAgent(config, "part").UserAgent; got != DefaultKubernetesUserAgent()+"/part" {
		t.Errorf("user agent %q", got)
	}
}

func TestInClusterConfigIsReadFromThePod(t *testing.T) {
	dir := t.TempDir()
	token, ca := filepath.Join(dir, "token"), filepath.Join(dir, "ca.crt")
	in := func(host, port string) (*Config, error) {
		env := map[string]string{"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
		return inCluster(func(name string) string { return env[name] }, token, ca)
	}
	for _, outside := range [][2]string{{"", ""}, {"10.0.0.1", ""}, {"", "443"}} {
		if _, err := in(outside[0], outside[1]); !errors.Is(err, ErrNotInCluster) {
			t.Errorf("%v: %v", outside, err)
		}
	}
	if _, err := in("10.0.0.1", "443"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a token: %v", err)
	}
	write := func(name, data string) {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(token, "t0ken")
	write(ca, "no certificate")
	config, err := in("fd00::1", "443")
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://[fd00::1]:443" || config.BearerToken != "t0ken" || config.BearerTokenFile != token || config.CAFile != "" {
		t.Errorf("got %v", config)
	}
}

func TestServerURL(t *testing.T) {
	for _, tc := range []struct {
		host string
		tls  bool
		want string // or what the error says
		path string
	}{
		{"server", false, "http://server", "/apis/apps/v1"},
		{"server", true, "https://server", "/apis/apps/v1"},
		{"server:8080", true, "https://server:8080", "/apis/apps/v1"},
		{"http://server/below/", true, "http://server/below/", "/apis/apps/v1"},
		{"[::1]:8080", false, "http://[::1]:8080", "/apis/apps/v1"},
		{"", false, "host must be a URL or a host:port pair", ""},
		{"server/below", false, `host must be a URL or a host:port pair: "server/below"`, ""},
		{"::1", false, "invalid port", ""},
	} {
		u, path, err := DefaultServerURL(tc.host, "apis", testGV("apps", "v1"), tc.tls)
		if err != nil {
			if tc.path != "" || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%q: %v", tc.host, err)
			}
		} else if u.String() != tc.want || path != tc.path {
			t.Errorf("%q: got %s, %s", tc.host, u, path)
		}
	}
	for _, tc := range []struct {
		config Config
		want   string
		tls    bool
	}{
		{Config{}, "http://localhost", false},
		{Config{Host: "s", TLSClientConfig: TLSClientConfig{Insecure: true}}, "https://s", true},
		{Config{Host: "s", TLSClientConfig: TLSClientConfig{CAFile: "/ca"}}, "https://s", true},
		{Config{Host: "s", TLSClientConfig: TLSClientConfig{CertData: []byte("x")}}, "https://s", true},
		{Config{Host: "s", TLSClientConfig: TLSClientConfig{ServerName: "x"}}, "http://s", false},
		{Config{Host: "http://s", TLSClientConfig: TLSClientConfig{Insecure: true}}, "http://s", false},
	} {
		u, _, err := DefaultServerUrlFor(&tc.config)
		if err != nil || u.String() != tc.want || IsConfigTransportTLS(tc.config) != tc.tls {
			t.Errorf("%v: %v, %v", tc.config, u, err)
		}
	}
}
