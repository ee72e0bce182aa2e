package builder_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/sandbox"
)

// run runs a script in a place with the given modules at the proxy.
func run(t *testing.T, c builder.Config, script string, modules builder.Modules) (string, error) {
	t.Helper()
	t.Setenv("GOTOOLCHAIN", "local")
	place, err := c.Open("test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := place.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := place.UseToolchain(t.Context(), "", nil); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = place.Run(t.Context(), builder.Command{
		Args: []string{"bash", "-c", script}, Dir: place.Work(), Output: io.MultiWriter(&out, t.Output()), Modules: modules,
	})
	return out.String(), err
}

// get is a shell function that asks the proxy for a path.
const get = `
address=${GOPROXY#http://} path=/${address#*/} address=${address%%/*}
get() { exec 3<>/dev/tcp/${address/:/\/}; printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3; cat <&3; }
`

func TestProxyAnswersToItsNameOnly(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "example.com/m/@v"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "example.com/m/@v/list"), []byte("v1.2.3\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, isolation := range []sandbox.Isolation{sandbox.Required, sandbox.LimitsOnly} {
		c := builder.Config{Isolation: isolation}
		modules := builder.Modules{Dir: dir, Own: []string{"example.com/m"}, Only: true}
		if out, err := run(t, c, get+`get "$path/example.com/m/@v/list"`, modules); err != nil || !strings.Contains(out, "v1.2.3") {
			t.Errorf("%v: %s", err, out)
		}
		for _, path := range []string{"/example.com/m/@v/list", "/x/example.com/m/@v/list", "$path/../../example.com/m/@v/list", "$path/../../../../../etc/passwd"} {
			if out, _ := run(t, c, get+`get "`+path+`"`, modules); strings.Contains(out, "v1.2.3") || strings.Contains(out, "root:") {
				t.Errorf("%s gives\n%s", path, out)
			}
		}
	}
}

// TestModulesOfOurOwnAreNotAskedForElsewhere: a sibling that is not on its way is
// nowhere, whatever a proxy has.
func TestModulesOfOurOwnAreNotAskedForElsewhere(t *testing.T) {
	elsewhere := t.TempDir()
	for _, path := range []string{"example.com/own", "example.com/other"} {
		dir := filepath.Join(elsewhere, path, "@v")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"list": "v1.2.3\n", "v1.2.3.info": `{"Version":"v1.2.3"}`, "v1.2.3.mod": "module " + path + "\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("GOPROXY", "file://"+elsewhere)
	t.Setenv("GONOSUMDB", "example.com")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw")
	modules := builder.Modules{Dir: t.TempDir(), Own: []string{"example.com/own"}, Only: true}
	out, err := run(t, builder.Config{}, "go list -m -versions example.com/other; go list -m example.com/other@v1.2.3; ! go list -m example.com/own@v1.2.3", modules)
	if err != nil || strings.Count(out, "example.com/other v1.2.3") != 2 || !strings.Contains(out, "example.com/own has no version v1.2.3 in the mirrors") {
		t.Errorf("%v:\n%s", err, out)
	}
}
