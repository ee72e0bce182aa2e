package builder

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestToolchainIsTheReleaseThatTheRulesName(t *testing.T) {
	for _, test := range []struct{ version, user, want string }{
		{"1.26.0", "auto", "go1.26.0"},
		{"1.26", "auto", "go1.26.0"},
		{"1.21", "auto", "go1.21.0"},
		{"1.20", "auto", "go1.20"},
		{"1.20.5", "auto", "go1.20.5"},
		{"1.27rc1", "auto", "go1.27rc1"},
		{"1.26.3", "go1.25.0", "go1.26.3"},
		{"1.26.3", "go1.25.0+auto", "go1.26.3"},
		{"1.26.3", "local", "local"},
		{"1.26.3", "path", "go1.26.3+path"},
		{"1.26", "local+path", "go1.26.0+path"},
	} {
		if got := toolchain(test.version, test.user); got != test.want {
			t.Errorf("Go %s with GOTOOLCHAIN=%s: %s, want %s", test.version, test.user, got, test.want)
		}
	}
}

func TestToolchainIsOneThatTheGoCommandKnows(t *testing.T) {
	out, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		t.Fatal(err)
	}
	local := strings.TrimPrefix(strings.TrimSpace(string(out)), "go")
	for _, user := range []string{"auto", "path"} {
		cmd := exec.Command("go", "env", "GOVERSION")
		// The local toolchain needs no network.
		cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+toolchain(local, user), "GOPROXY=off")
		if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "go"+local {
			t.Errorf("%v: %s", err, out)
		}
	}
}
