package exec_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	v1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/auth/exec"
)

const variable = "KUBERNETES_EXEC_INFO"

func info(version, cluster string) string {
	return `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/` + version + `","spec":{"interactive":false` + cluster + `}}`
}

const cluster = `,"cluster":{"server":"https://cluster.example","tls-server-name":"inner.example","insecure-skip-tls-verify":true,` +
	`"certificate-authority-data":"Q0E=","proxy-url":"http://proxy.example","disable-compression":true,"config":{"audience":"x"}}`

func TestClusterIsReadInEveryVersion(t *testing.T) {
	for version, want := range map[string]runtime.Object{"v1": &v1.ExecCredential{}, "v1beta1": &v1beta1.ExecCredential{}} {
		t.Setenv(variable, info(version, cluster))
		obj, config, err := exec.LoadExecCredentialFromEnv()
		if err != nil {
			t.Errorf("%s: %v", version, err)
			continue
		}
		if fmt.Sprintf("%T", obj) != fmt.Sprintf("%T", want) {
			t.Errorf("%s: got a %T", version, obj)
		}
		if kind := obj.GetObjectKind().GroupVersionKind(); kind.Version != version || kind.Kind != "ExecCredential" {
			t.Errorf("%s: got kind %s", version, kind)
		}

		req, err := http.NewRequest(http.MethodGet, config.Host, nil)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := config.Proxy(req)
		if err != nil || proxy.String() != "http://proxy.example" {
			t.Errorf("%s: proxy %v, error %v", version, proxy, err)
		}
		got := []any{config.Host, config.TLSClientConfig, config.DisableCompression, config.BearerToken, config.Username}
		wanted := []any{"https://cluster.example", rest.TLSClientConfig{Insecure: true, ServerName: "inner.example", CAData: []byte("CA")}, true, "", ""}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s: config (-want +got):\n%s", version, diff)
		}
	}
}

func TestWhatCannotBeUsedIsAnError(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"nothing":         {"", "Kind"},
		"text":            {"hello", "decode"},
		"another kind":    {`{"kind":"Pod","apiVersion":"v1"}`, `no kind "Pod"`},
		"removed version": {info("v1alpha1", cluster), "v1alpha1"},
		"no cluster":      {info("v1", ""), "provideClusterInfo"},
		"bad proxy":       {info("v1", `,"cluster":{"server":"https://a","proxy-url":"://"}`), "cannot create rest.Config"},
	} {
		obj, config, err := exec.LoadExecCredential([]byte(c.data))
		if err == nil || obj != nil || config != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v and error %v", name, obj, config, err)
		}
	}
	for _, empty := range []bool{true, false} {
		t.Setenv(variable, "")
		if !empty {
			os.Unsetenv(variable)
		}
		if _, _, err := exec.LoadExecCredentialFromEnv(); err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("without the variable: got error %v", err)
		}
	}
}

func FuzzLoadExecCredential(f *testing.F) {
	f.Add([]byte(info("v1", cluster)))
	f.Add([]byte(info("v1beta1", "")))
	f.Add([]byte("kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\nspec:\n  cluster:\n    server: a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		obj, config, err := exec.LoadExecCredential(data)
		if (err == nil) != (obj != nil && config != nil) {
			t.Errorf("got %v, %v and error %v", obj, config, err)
		}
	})
}

func ExampleLoadExecCredentialFromEnv() {
	// The client sets this before it starts a plugin.
	os.Setenv("KUBERNETES_EXEC_INFO", `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",
		"spec":{"interactive":false,"cluster":{"server":"https://cluster.example"}}}`)

	obj, config, err := exec.LoadExecCredentialFromEnv()
	if err != nil {
		panic(err)
	}
	fmt.Println("a token for", config.Host, "is wanted, in version", obj.GetObjectKind().GroupVersionKind().Version)
	// Output: a token for https://cluster.example is wanted, in version v1
}
