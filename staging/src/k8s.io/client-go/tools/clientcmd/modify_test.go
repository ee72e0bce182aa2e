package clientcmd_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// access returns what kubectl config has if KUBECONFIG lists these files.
func access(t *testing.T, files ...string) *clientcmd.PathOptions {
	t.Setenv("KUBECONFIG", strings.Join(files, string(filepath.ListSeparator)))
	return clientcmd.NewDefaultPathOptions()
}

// modify changes what the files hold together.
func modify(t *testing.T, access clientcmd.ConfigAccess, relativize bool, change func(*clientcmdapi.Config)) {
	t.Helper()
	config, err := access.GetStartingConfig()
	if err != nil {
		t.Fatal(err)
	}
	change(config)
	if err := clientcmd.ModifyConfig(access, *config, relativize); err != nil {
		t.Fatal(err)
	}
}

func loaded(t *testing.T, path string) *clientcmdapi.Config {
	t.Helper()
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

const twoStanzas = "clusters:\n- name: %[1]s\n  cluster:\n    server: https://%[1]s\n    certificate-authority: ca\nusers:\n- name: %[1]s\n  user:\n    token: t\ncontexts:\n- name: %[1]s\n  context: {cluster: %[1]s, user: %[1]s}\ncurrent-context: %[1]s\n"

func TestStanzasAreWrittenWhereTheyCameFrom(t *testing.T) {
	first, second := file(t, "first", fmt.Sprintf(twoStanzas, "a")), file(t, "second", fmt.Sprintf(twoStanzas, "b"))
	files := access(t, first, second)
	before := contents(t, first)

	modify(t, files, false, func(config *clientcmdapi.Config) {
		config.Clusters["b"].Server = "https://new"
		delete(config.AuthInfos, "b")
		config.Contexts["b"].Namespace = "ns"
	})
	if contents(t, first) != before {
		t.Error("the first file was written, and nothing in it has changed")
	}
	got := loaded(t, second)
	if got.Clusters["b"].Server != "https://new" || got.AuthInfos["b"] != nil || got.Contexts["b"].Namespace != "ns" {
		t.Errorf("got %s", contents(t, second))
	}
	if got.Clusters["b"].CertificateAuthority != "ca" {
		t.Errorf("a path has changed to %q", got.Clusters["b"].CertificateAuthority)
	}

	modify(t, files, false, func(config *clientcmdapi.Config) {
		config.Clusters["c"] = &clientcmdapi.Cluster{Server: "https://c"}
		config.CurrentContext = "b"
		config.Extensions["e"] = &runtime.Unknown{Raw: []byte(`"v"`), ContentType: runtime.ContentTypeJSON}
		config.Preferences.Colors = true
	})
	got = loaded(t, first)
	if got.Clusters["c"] == nil || got.CurrentContext != "b" || got.Extensions["e"] == nil || !got.Preferences.Colors {
		t.Errorf("what is new is not in the first file: %s", contents(t, first))
	}
	if entries, _ := filepath.Glob(filepath.Join(filepath.Dir(first), "*.lock")); len(entries) != 0 {
		t.Errorf("locks are left: %v", entries)
	}
}

func TestNothingIsWrittenIfNothingChanged(t *testing.T) {
	path := file(t, "config", "# a comment\n"+fmt.Sprintf(twoStanzas, "a"))
	before := contents(t, path)
	modify(t, access(t, path), true, func(*clientcmdapi.Config) {})
	if contents(t, path) != before {
		t.Error("the file was written")
	}
}

func TestCurrentContextIsRemovedEverywhere(t *testing.T) {
	first, second := file(t, "first", fmt.Sprintf(twoStanzas, "a")), file(t, "second", fmt.Sprintf(twoStanzas, "b"))
	missing := filepath.Join(t.TempDir(), "missing")
	files := access(t, missing, first, second)
	modify(t, files, false, func(config *clientcmdapi.Config) { config.CurrentContext = "" })
	config, err := files.GetStartingConfig()
	if err != nil {
		t.Fatal(err)
	}
	if config.CurrentContext != "" {
		t.Errorf("still %q", config.CurrentContext)
	}
	if _, err := os.Stat(missing); !os.IsNotExist(err) {
		t.Errorf("a file was created to hold nothing: %v", err)
	}
}

func TestPathsAreWrittenRelativeToTheirFile(t *testing.T) {
	path := file(t, "config", fmt.Sprintf(twoStanzas, "a"))
	dir := filepath.Dir(path)
	modify(t, access(t, path), true, func(config *clientcmdapi.Config) {
		config.Clusters["a"].CertificateAuthority = filepath.Join(dir, "pki", "ca.pem")
		config.AuthInfos["new"] = &clientcmdapi.AuthInfo{
			TokenFile: filepath.Join(dir, "token"),
			ClientKey: filepath.Join(filepath.Dir(dir), "key"),
			Exec:      &clientcmdapi.ExecConfig{Command: filepath.Join(dir, "bin", "plugin")},
		}
	})
	got := loaded(t, path)
	if ca := got.Clusters["a"].CertificateAuthority; ca != filepath.Join("pki", "ca.pem") {
		t.Errorf("certificate authority %q", ca)
	}
	user := got.AuthInfos["new"]
	if user.TokenFile != "token" || user.ClientKey != filepath.Join(filepath.Dir(dir), "key") || user.Exec.Command != filepath.Join("bin", "plugin") {
		t.Errorf("got %+v, command %s", user, user.Exec.Command)
	}
}

func TestExplicitFileIsCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "config")
	files := access(t)
	files.LoadingRules.ExplicitPath = path
	modify(t, files, false, func(config *clientcmdapi.Config) { config.CurrentContext = "a" })
	if got := loaded(t, path).CurrentContext; got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestChangesAtTheSameTimeWaitForEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	files := access(t, path)
	var group sync.WaitGroup
	const writers = 8
	for i := range writers {
		group.Go(func() {
			config := clientcmdapi.NewConfig()
			config.CurrentContext = fmt.Sprint("context-", i)
			if err := clientcmd.ModifyConfig(files, *config, false); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := loaded(t, path).CurrentContext; !strings.HasPrefix(got, "context-") {
		t.Errorf("got %q", got)
	}
}

func TestAStaleLockIsNamed(t *testing.T) {
	path := file(t, "config", "")
	files := access(t, path)
	if err := os.WriteFile(path+".lock", nil, 0); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { // waits for the lock, on a clock of its own
		err := clientcmd.ModifyConfig(files, clientcmdapi.Config{CurrentContext: "a"}, false)
		if err == nil || !strings.Contains(err.Error(), path+".lock") || !errors.Is(err, os.ErrExist) {
			t.Errorf("got %v", err)
		}
	})
	clientcmd.UseModifyConfigLock = false
	defer func() { clientcmd.UseModifyConfigLock = true }()
	if err := clientcmd.ModifyConfig(files, clientcmdapi.Config{CurrentContext: "a"}, false); err != nil {
		t.Errorf("without locking: %v", err)
	}
}

func TestBrokenFilesAreNotOverwritten(t *testing.T) {
	path := file(t, "config", "a: b: c\n")
	if err := clientcmd.ModifyConfig(access(t, path), clientcmdapi.Config{CurrentContext: "a"}, false); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if contents(t, path) != "a: b: c\n" {
		t.Error("the file was overwritten")
	}
}

func TestPersisterWritesToTheUsersFile(t *testing.T) {
	first := file(t, "first", "")
	second := file(t, "second", "users:\n- name: u\n  user:\n    auth-provider:\n      name: p\n      config: {a: b}\n- name: v\n  user: {token: t}\n")
	files := access(t, first, second)
	if err := clientcmd.PersisterForUser(files, "u").Persist(map[string]string{"id": "new"}); err != nil {
		t.Fatal(err)
	}
	if got := loaded(t, second).AuthInfos["u"].AuthProvider.Config; len(got) != 1 || got["id"] != "new" {
		t.Errorf("got %v", got)
	}
	before := contents(t, second)
	for _, user := range []string{"v", "nobody"} {
		if err := clientcmd.PersisterForUser(files, user).Persist(map[string]string{"id": "x"}); err != nil {
			t.Error(err)
		}
	}
	if contents(t, second) != before {
		t.Error("a user without plugin was changed")
	}
}
