package auth_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/auth"
)

func TestLoadFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := auth.LoadFromFile(path); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
	write(`{"user": "u", "password": "p", "CAFile": "ca", "CertFile": "c", "KeyFile": "k", "bearerToken": "t", "Insecure": true}`)
	insecure := true
	want := &auth.Info{User: "u", Password: "p", CAFile: "ca", CertFile: "c", KeyFile: "k", BearerToken: "t", Insecure: &insecure}
	if got, err := auth.LoadFromFile(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	write("{")
	if _, err := auth.LoadFromFile(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("broken: %v", err)
	}
}

func TestMergeWithConfig(t *testing.T) {
	secure := false
	for name, c := range map[string]struct {
		info         auth.Info
		config, want restclient.Config
	}{
		"all": {
			auth.Info{User: "u", Password: "p", CAFile: "ca", CertFile: "c", KeyFile: "k", BearerToken: "t", Insecure: &secure},
			restclient.Config{Host: "h", Username: "old", TLSClientConfig: restclient.TLSClientConfig{Insecure: true, ServerName: "n"}},
			restclient.Config{Host: "h", Username: "u", Password: "p", BearerToken: "t",
				TLSClientConfig: restclient.TLSClientConfig{ServerName: "n", CAFile: "ca", CertFile: "c", KeyFile: "k"}},
		},
		"nothing": {
			auth.Info{},
			restclient.Config{Username: "old", BearerToken: "old", TLSClientConfig: restclient.TLSClientConfig{Insecure: true}},
			restclient.Config{TLSClientConfig: restclient.TLSClientConfig{Insecure: true}},
		},
	} {
		if got, err := c.info.MergeWithConfig(c.config); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %#v, %v", name, got, err)
		}
	}
}

func TestComplete(t *testing.T) {
	for _, c := range []struct {
		info auth.Info
		want bool
	}{
		{auth.Info{}, false}, {auth.Info{Password: "p", KeyFile: "k", CAFile: "c"}, false},
		{auth.Info{User: "u"}, true}, {auth.Info{CertFile: "c"}, true}, {auth.Info{BearerToken: "t"}, true},
	} {
		if got := c.info.Complete(); got != c.want {
			t.Errorf("%+v: got %v", c.info, got)
		}
	}
}
