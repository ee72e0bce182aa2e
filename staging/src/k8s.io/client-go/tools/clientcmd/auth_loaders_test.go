package clientcmd_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func TestPromptedCredentialsAreKeptInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth")
	answers := strings.NewReader("me\r\nmy word\nfor others")
	loader := clientcmd.NewPromptingAuthLoader(answers)
	for range 2 {
		info, err := loader.LoadAuth(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.User != "me" || info.Password != "my word" {
			t.Errorf("got %q, %q", info.User, info.Password)
		}
	}
	if rest, _ := io.ReadAll(answers); string(rest) != "for others" {
		t.Errorf("left to read: %q", rest)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
	if info, err := clientcmd.NewDefaultAuthLoader().LoadAuth(path); err != nil || info.User != "me" {
		t.Errorf("got %v, %v", info, err)
	}
	if _, err := clientcmd.NewDefaultAuthLoader().LoadAuth(path + ".missing"); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
