package homedir

import (
	"os"
	"path/filepath"
	"testing"
)

// On Windows the one variable that is set here is the answer, too.
func TestHomeIsThatOfTheEnvironment(t *testing.T) {
	for _, home := range []string{"/some/where", ""} {
		t.Setenv("USERPROFILE", "")
		t.Setenv("HOMEPATH", "")
		t.Setenv("HOME", home)
		if got := HomeDir(); got != home {
			t.Errorf("got %q, want %q", got, home)
		}
	}
}

func TestHomeOnWindows(t *testing.T) {
	root := t.TempDir()
	dir := func(name string, mode os.FileMode, kubeconfig bool) string {
		path := filepath.Join(root, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if kubeconfig {
			if err := os.Mkdir(filepath.Join(path, ".kube"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, ".kube", "config"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var (
		plain    = dir("plain", 0o755, false)
		another  = dir("another", 0o755, false)
		readOnly = dir("readonly", 0o555, false)
		with     = dir("with", 0o755, true)
		also     = dir("also", 0o755, true)
		missing  = filepath.Join(root, "missing")
	)
	tests := map[string]struct{ home, drive, profile, want string }{
		"nothing is set":                  {"", "", "", ""},
		"config in home":                  {with, also, also, with},
		"config on the drive":             {plain, with, also, with},
		"config in the profile":           {plain, another, with, with},
		"home first":                      {plain, another, another, plain},
		"profile before the drive":        {"", another, plain, plain},
		"what is writable":                {readOnly, plain, "", plain},
		"what exists":                     {missing, "", readOnly, readOnly},
		"what is set":                     {"", missing + "1", missing, missing},
		"a drive without a path is none ": {"", "", missing, missing},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"HOME": test.home, "USERPROFILE": test.profile, "HOMEDRIVE": "C:"}
			if test.drive != "" {
				env["HOMEDRIVE"], env["HOMEPATH"] = test.drive[:1], test.drive[1:]
			}
			if got := windowsHome(func(name string) string { return env[name] }); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
