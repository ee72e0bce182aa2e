package clientcmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// file writes a file for a test and returns its path.
func file(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// contents returns what is in a file.
func contents(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// written returns a config as YAML, to compare it as a whole.
func written(t testing.TB, config *clientcmdapi.Config) string {
	t.Helper()
	out, err := clientcmd.Write(*config)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

const everything = `apiVersion: v1
clusters:
- cluster:
    certificate-authority: ca.pem
    disable-compression: true
    extensions:
    - extension:
        a: 1
        b:
        - x
      name: one
    insecure-skip-tls-verify: true
    proxy-url: socks5://localhost:1080
    server: https://example.com:6443
    tls-server-name: other
  name: c1
- cluster:
    certificate-authority-data: Y2E=
    server: https://example.com:6444
  name: c2
contexts:
- context:
    cluster: c1
    namespace: ns
    user: u1
  name: x1
current-context: x1
extensions:
- extension: text
  name: two
kind: Config
preferences:
  colors: true
users:
- name: u1
  user:
    as: somebody
    as-groups:
    - g
    as-uid: "7"
    as-user-extra:
      k:
      - v
    auth-provider:
      config:
        a: b
      name: p
    client-certificate: cert.pem
    client-key: key.pem
    password: pw
    token: tok
    tokenFile: tok.txt
    username: me
- name: u2
  user:
    client-certificate-data: Y2VydA==
    client-key-data: a2V5
    exec:
      apiVersion: client.authentication.k8s.io/v1
      args:
      - a
      command: ./plugin
      env:
      - name: A
        value: B
      installHint: get it
      interactiveMode: Never
      provideClusterInfo: true
`

func TestWritingWhatWasReadGivesTheSameFile(t *testing.T) {
	config, err := clientcmd.Load([]byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	if got := written(t, config); got != everything {
		t.Errorf("got:\n%s", got)
	}
}

func TestLoadFillsWhatProgramsWriteTo(t *testing.T) {
	for _, data := range []string{"", " \n", "null", "{}", "# nothing\n", "kind: Config\napiVersion: v1\n", "clusters: []\n"} {
		config, err := clientcmd.Load([]byte(data))
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		if config.Clusters == nil || config.AuthInfos == nil || config.Contexts == nil || config.Extensions == nil {
			t.Errorf("%q: a map is nil in %#v", data, config)
		}
		if !clientcmdapi.IsConfigEmpty(config) {
			t.Errorf("%q: not empty", data)
		}
	}
}

func TestLoadReadsJSON(t *testing.T) {
	config, err := clientcmd.Load([]byte(`{"kind":"Config","clusters":[{"name":"c","cluster":{"server":"s"}}],"unknown":{"a":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	if config.Clusters["c"].Server != "s" {
		t.Errorf("got %#v", config.Clusters["c"])
	}
}

func TestOldPluginsMayReadStandardInput(t *testing.T) {
	for version, want := range map[string]clientcmdapi.ExecInteractiveMode{
		"v1alpha1": clientcmdapi.IfAvailableExecInteractiveMode,
		"v1beta1":  clientcmdapi.IfAvailableExecInteractiveMode,
		"v1":       "",
	} {
		config, err := clientcmd.Load([]byte("users:\n- name: u\n  user:\n    exec:\n      command: c\n      apiVersion: client.authentication.k8s.io/" + version + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := config.AuthInfos["u"].Exec.InteractiveMode; got != want {
			t.Errorf("%s: got %q, want %q", version, got, want)
		}
	}
}

func TestLoadErrorsSayWhatAndWhere(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"syntax, first line", "a: b: c\n", "line 1:"},
		{"syntax, later line", "a: b\n c: d\n", "line 2:"},
		{"type, block style", "kind: Config\nclusters:\n- name: a\n  cluster:\n    server:\n    - x\n", "line 5: json: cannot unmarshal array"},
		{"type of a list", "clusters: {}\nkind: Config\n", "line 1: json: cannot unmarshal object"},
		{"type, flow style", "clusters: [{name: 1}]\n", "cannot unmarshal number into Go struct field NamedCluster.clusters.name of type string"},
		{"base64", "users:\n- name: u\n  user:\n    client-key-data: '***'\n", "illegal base64 data"},
		{"a list", "- a\n", "not a kubeconfig: found a value of type array"},
		{"a text", "hello", "not a kubeconfig: found a value of type string"},
		{"two clusters", "clusters:\n- name: a\n- name: a\n", `duplicate name "a" in list of clusters`},
		{"two users", "users:\n- name: a\n  user:\n    token: s3cret\n- name: a\n", `duplicate name "a" in list of users`},
		{"two contexts", "contexts:\n- name: a\n- name: a\n", `duplicate name "a" in list of contexts`},
		{"two extensions", "extensions:\n- name: a\n  extension: {}\n- name: a\n  extension: s3cret\n", `duplicate name "a" in list of extensions`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := clientcmd.Load([]byte(c.data))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestOtherKindsAndVersionsAreNotRegistered(t *testing.T) {
	for _, data := range []string{
		"kind: Pod\napiVersion: v1\nspec: {}\n",
		"kind: Config\napiVersion: v2\n",
		"apiVersion: example.com/v1\n",
		"kind: Other\nclusters: {}\n",
	} {
		if _, err := clientcmd.Load([]byte(data)); !runtime.IsNotRegisteredError(err) {
			t.Errorf("%q: got %v", data, err)
		}
	}
}

func TestStanzasKnowTheirFile(t *testing.T) {
	path := file(t, "config", everything)
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, origin := range []string{config.Clusters["c1"].LocationOfOrigin, config.AuthInfos["u1"].LocationOfOrigin, config.Contexts["x1"].LocationOfOrigin} {
		if origin != path {
			t.Errorf("got %q, want %q", origin, path)
		}
	}
	if _, err := clientcmd.LoadFromFile(path + ".missing"); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestWriteToFile(t *testing.T) {
	config := clientcmdapi.Config{CurrentContext: "a"}
	want := written(t, &config)
	write := func(t *testing.T, path string) os.FileInfo {
		t.Helper()
		if err := clientcmd.WriteToFile(config, path); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, path); got != want {
			t.Errorf("got %s", got)
		}
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) > 2 {
			t.Errorf("files are left behind: %v", entries)
		}
		return info
	}
	t.Run("creates directories and a private file", func(t *testing.T) {
		if got := write(t, filepath.Join(t.TempDir(), "a", "b", "config")).Mode().Perm(); got != 0o600 {
			t.Errorf("mode %v", got)
		}
	})
	t.Run("keeps the mode of a file", func(t *testing.T) {
		path := file(t, "config", "old")
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		if got := write(t, path).Mode().Perm(); got != 0o640 {
			t.Errorf("mode %v", got)
		}
	})
	t.Run("keeps a link", func(t *testing.T) {
		path := file(t, "config", "old")
		link := filepath.Join(filepath.Dir(path), "link")
		if err := os.Symlink("config", link); err != nil {
			t.Skip("no links here:", err)
		}
		if write(t, link).Mode()&os.ModeSymlink == 0 {
			t.Error("the link is gone")
		}
		if contents(t, path) != want {
			t.Error("the file was not written")
		}
	})
	t.Run("keeps a link to nowhere", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink("config", link); err != nil {
			t.Skip("no links here:", err)
		}
		if write(t, link).Mode()&os.ModeSymlink == 0 {
			t.Error("the link is gone")
		}
	})
	t.Run("keeps the other names of a file", func(t *testing.T) {
		path := file(t, "config", "old")
		other := filepath.Join(filepath.Dir(path), "other")
		if err := os.Link(path, other); err != nil {
			t.Skip("no links here:", err)
		}
		write(t, path)
		if contents(t, other) != want {
			t.Error("the other name has the old contents")
		}
	})
	t.Run("fails on a directory", func(t *testing.T) {
		if err := clientcmd.WriteToFile(config, t.TempDir()); err == nil {
			t.Error("no error")
		}
	})
}

func TestReadersNeverSeeHalfAFile(t *testing.T) {
	path := file(t, "config", "")
	long := clientcmdapi.Config{CurrentContext: strings.Repeat("x", 1<<16)}
	if err := clientcmd.WriteToFile(long, path); err != nil {
		t.Fatal(err)
	}
	want := contents(t, path)
	done := make(chan error)
	go func() {
		var err error
		for range 5 {
			if err == nil {
				err = clientcmd.WriteToFile(long, path)
			}
		}
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
			if contents(t, path) != want {
				t.Fatal("half a file")
			}
		}
	}
}

func FuzzLoadIsStable(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("clusters: [{name: a, cluster: {server: x}}]\nextensions: [{name: n, extension: {b: 1, a: [null, 1.5]}}]"))
	f.Add([]byte("users:\n- name: a\n  user:\n    exec: {}\n    auth-provider: {}\n"))
	f.Add([]byte("preferences: {extensions: [{name: a}]}"))
	f.Add([]byte(`{"clusters":null,"kind":"Config"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := clientcmd.Load(data)
		if err != nil {
			return
		}
		once, err := clientcmd.Write(*config)
		if err != nil {
			t.Fatal(err)
		}
		again, err := clientcmd.Load(once)
		if err != nil {
			t.Fatalf("%v in\n%s", err, once)
		}
		twice, err := clientcmd.Write(*again)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once, twice) {
			t.Errorf("first:\n%s\nthen:\n%s", once, twice)
		}
	})
}
