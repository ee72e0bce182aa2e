package smoke_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
	"k8s.io/publisher/pin"
	"k8s.io/publisher/sandbox"
	"k8s.io/publisher/smoke"
)

// cache is what all tests share, as compiling the standard library takes long.
var cache string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if cache, err = os.MkdirTemp("", "smoke-cache-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(cache)
		return m.Run()
	}())
}

func confined() builder.Config { return builder.Config{Cache: cache} }

// repository is a mirror with a work tree, to commit to it by hand.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) *repository {
	r := &repository{t, t.TempDir()}
	r.git("init", "-q", "-b", "master")
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1600000000 +0100",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=1700000000 +0100")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files and commits everything.
func (r *repository) commit(files map[string]string) object.ID {
	r.t.Helper()
	for name, content := range files {
		name = filepath.Join(r.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			r.t.Fatal(err)
		}
	}
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "a commit")
	return r.id("HEAD")
}

func (r *repository) id(revision string) object.ID {
	r.t.Helper()
	id, err := object.ParseID([]byte(r.git("rev-parse", revision)))
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *repository) objects() string { return filepath.Join(r.dir, ".git", "objects") }

// pin returns what go.mod and go.sum need to require the repository's HEAD.
func (r *repository) pin(path string) (version, goSum string) {
	r.t.Helper()
	store, err := odb.Open(r.objects())
	if err != nil {
		r.t.Fatal(err)
	}
	defer store.Close()
	v := module.Version{Path: path, Version: pin.PseudoVersion(path, r.id("HEAD"), 1700000000)}
	sum, err := modhash.New(store.Reader(), new(modhash.MemorySums)).Zip(v, r.id("HEAD^{tree}"))
	if err != nil {
		r.t.Fatal(err)
	}
	goMod, err := os.ReadFile(filepath.Join(r.dir, "go.mod"))
	if err != nil {
		r.t.Fatal(err)
	}
	return v.Version, fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", path, v.Version, sum, path, v.Version, modhash.GoMod(goMod))
}

// alone makes sure that a module comes from the mirrors or not at all.
func alone(t *testing.T) {
	t.Helper()
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOMODCACHE", filepath.Join(t.TempDir(), "mod"))
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOTOOLCHAIN", "local")
	t.Setenv("GOPRIVATE", "")
	t.Setenv("TMPDIR", t.TempDir())
}

const build = "go build ./...\ngo vet ./...\ngo mod verify\n"

// family is three modules, each of which requires those before it, in a version
// of the language.
func family(t *testing.T, language string) (test smoke.Test, repositories []*repository) {
	base, middle, top := newRepository(t), newRepository(t), newRepository(t)
	base.commit(map[string]string{"go.mod": "module corp.example/base\n\ngo " + language + "\n", "base.go": "package base\n\nconst Name = `base`\n"})
	v1, sum1 := base.pin("corp.example/base")
	middle.commit(map[string]string{
		"go.mod":    "module corp.example/middle/v2\n\ngo " + language + "\n\nrequire corp.example/base " + v1 + "\n",
		"go.sum":    sum1,
		"middle.go": "package middle\n\nimport \"corp.example/base\"\n\nconst Name = base.Name + `, middle`\n",
	})
	v2, sum2 := middle.pin("corp.example/middle/v2")
	commit := top.commit(map[string]string{
		"go.mod": "module corp.example/top\n\ngo " + language + "\n\nrequire corp.example/middle/v2 " + v2 + "\n\nrequire corp.example/base " + v1 + " // indirect\n",
		"go.sum": sum1 + sum2,
		"top.go": "package main\n\nimport \"corp.example/middle/v2\"\n\nfunc main() { println(middle.Name) }\n",
	})
	return smoke.Test{
		Destination: "top", Branch: "master", Commit: commit, Script: build,
		ObjectDirs: []string{top.objects(), base.objects(), middle.objects()}, Builder: confined(),
	}, []*repository{base, middle, top}
}

func TestSiblingsAreFoundInTheMirrors(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"public":                       {},
		"private":                      {"GOPRIVATE": "corp.example"},
		"in a git hook":                {"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index"},
		"below a work space":           {"GOWORK": "/nowhere/go.work"},
		"with a git that asks for CRs": {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.autocrlf", "GIT_CONFIG_VALUE_0": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			test, _ := family(t, "1.24")
			alone(t)
			for name, value := range env {
				t.Setenv(name, value)
			}
			if err := test.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func attributesOfTheUser(t *testing.T) string {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "git"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "git", "attributes"), []byte("* text eol=crlf\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSiblingsNeedNoChecksumDatabase(t *testing.T) {
	test, _ := family(t, "1.24")
	alone(t)
	t.Setenv("GOSUMDB", "sum.golang.org")
	test.Script = "rm go.sum\ngo mod tidy\ngit diff --exit-code\n"
	if err := test.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSiblingsOfSiblingsAreFoundToo(t *testing.T) {
	test, repositories := family(t, "1.16")
	alone(t)
	top := repositories[2]
	version := repositories[1].id("HEAD")
	// Before Go 1.17, go.mod left out what dependencies require.
	test.Commit = top.commit(map[string]string{
		"go.mod": "module corp.example/top\n\ngo 1.16\n\nrequire corp.example/middle/v2 " +
			pin.PseudoVersion("corp.example/middle/v2", version, 1700000000) + "\n",
	})
	if err := test.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSiblingThatGitConvertsIsTheOneThatWouldBeFetched(t *testing.T) {
	base, top := newRepository(t), newRepository(t)
	base.commit(map[string]string{
		"go.mod":              "module corp.example/base\n\ngo 1.24\n",
		"base.go":             "package base\n\n// $Id$\nconst Name = `base`\n",
		"more/crlf.txt":       "one\ntwo\n",
		"kept.txt":            "kept: $Format:%H$\n",
		"more/.gitattributes": "*.txt text eol=crlf\n",
		".gitattributes":      "*.go ident\nkept.txt export-ignore export-subst\n",
	})
	version, sum := base.pin("corp.example/base")
	test := smoke.Test{Destination: "top", Branch: "master", ObjectDirs: []string{top.objects(), base.objects()}, Builder: confined()}
	test.Commit = top.commit(map[string]string{
		"go.mod": "module corp.example/top\n\ngo 1.24\n\nrequire corp.example/base " + version + "\n",
		"go.sum": sum,
		"top.go": "package top\n\nimport _ \"corp.example/base\"\n",
	})
	test.Script = build + `
base=$(go list -m -f '{{.Dir}}' corp.example/base)
grep -q 'Id: ' "$base/base.go"
grep -q $'two\r' "$base/more/crlf.txt"
grep -q 'kept: $Format' "$base/kept.txt"
test -z "$(git status --porcelain)"
`
	alone(t)
	if err := test.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestGoSumMustBeRightAsItIsPublished(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"wrong":   {"h1:", "h1:A", "SECURITY ERROR"},
		"missing": {"corp.example/base v", "corp.example/other v", "missing go.sum entry"},
	} {
		t.Run(name, func(t *testing.T) {
			run, repositories := family(t, "1.24")
			alone(t)
			top := repositories[2]
			goSum, err := os.ReadFile(filepath.Join(top.dir, "go.sum"))
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(goSum), test.from, test.to)
			run.Commit = top.commit(map[string]string{"go.sum": text})
			failed, ok := errors.AsType[*smoke.FailedError](run.Run(t.Context()))
			if !ok || !strings.Contains(failed.Output, test.want) {
				t.Fatalf("%v, want %s", failed, test.want)
			}
		})
	}
}

func TestVersionThatIsInNoMirrorIsLeftToTheUsersProxy(t *testing.T) {
	test, repositories := family(t, "1.24")
	alone(t)
	test.ObjectDirs = []string{repositories[2].objects(), repositories[1].objects()}
	// That it cannot be had from there is not the module's fault.
	err := test.Run(t.Context())
	_, failed := errors.AsType[*smoke.FailedError](err)
	if _, lacked := errors.AsType[*builder.FetchError](err); !lacked || failed || !strings.Contains(err.Error(), "module lookup disabled by GOPROXY=off") {
		t.Fatal(err)
	}
}

func TestScriptRunsInAnOrdinaryCheckOut(t *testing.T) {
	r := newRepository(t)
	commit := r.commit(map[string]string{"a": "1\n", "dir/b": "2\n"})
	r.commit(map[string]string{"a": "later\n"})
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("SECRET", "swordfish")
	t.Setenv("XDG_CONFIG_HOME", attributesOfTheUser(t))
	logged := new(strings.Builder)
	test := smoke.Test{
		Destination: "org/r", Branch: "master", Commit: commit, Go: "1.26.3", ObjectDirs: []string{r.objects()}, Builder: confined(),
		Log: slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Script: `
test "$(git rev-parse HEAD)" = ` + commit.String() + `
test -z "$(git status --porcelain)"
test "$(cat a | od -c)" = "$(printf '1\n' | od -c)"
test "$PWD" = "$(git rev-parse --show-toplevel)"
test -z "$(cat)"  # nothing on standard input
test "$GOWORK" = off
test -z "$SECRET"
mkdir locked && touch locked/in && chmod 500 locked
echo reached the end >&2
`,
	}
	if err := test.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(logged.String(), "reached the end") || strings.Contains(logged.String(), "swordfish") {
		t.Errorf("log: %s", logged)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFailureShowsWhatFailed(t *testing.T) {
	r := newRepository(t)
	commit := r.commit(map[string]string{"a": "1\n"})
	t.Setenv("SECRET", "swordfish")
	for name, test := range map[string]struct{ script, output string }{
		"silent":        {"test \"$SECRET\" = x\necho on\n", "test \"$SECRET\" = x\n"},
		"pipeline":      {"false | cat\necho on\n", "false | cat\n"},
		"not found":     {"nonesuch-1 2>/dev/null\n", "nonesuch-1 2>/dev/null\n"},
		"both streams":  {"echo out\necho err >&2\nexit 3\n", "echo out\nout\necho err >&2\nerr\nexit 3\n"},
		"long":          {"for i in $(seq 1 1000); do echo line $i; done; exit 1", numbered("line", 901, 1000)},
		"one line":      {"exit 1", "exit 1\n"},
		"for terminals": {"printf '\\033]0;x\\a\\r\\377\\u202e\\tü\\n'\nexit 1\n", "printf '\\033]0;x\\a\\r\\377\\u202e\\tü\\n'\n" + `\x1b]0;x\a\r\xff\u202e` + "\tü\nexit 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&smoke.Test{Destination: "org/r", Branch: "master", Commit: commit, Script: test.script, ObjectDirs: []string{r.objects()}, Builder: confined()}).Run(t.Context())
			failed, ok := errors.AsType[*smoke.FailedError](err)
			if !ok || failed.Output != test.output || failed.Commit != commit || failed.Destination != "org/r" || failed.Branch != "master" {
				t.Fatalf("%+v, want output %q", err, test.output)
			}
			if _, ok := errors.AsType[*sandbox.ExitError](err); !ok {
				t.Errorf("%v does not say how it ended", failed.Err)
			}
			want := "smoke test of org/r, branch master, at " + commit.String() + ": exit status "
			if !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), strings.TrimSpace(test.output[strings.LastIndex(strings.TrimSpace(test.output), "\n")+1:])) {
				t.Errorf("message %q", err)
			}
		})
	}
}

// TestFaultOfTheMachineIsNeverAFailedTest: nobody is to look for it in the
// module.
func TestFaultOfTheMachineIsNeverAFailedTest(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		fault  func(t *testing.T, mirror *repository)
	}{
		"bash is killed": {"kill -9 $$\n", func(*testing.T, *repository) {}},
		"no bash": {"true\n", func(t *testing.T, _ *repository) {
			dir := t.TempDir()
			for _, name := range []string{"git", "go"} {
				path, err := exec.LookPath(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", dir)
		}},
		"no git":    {"true\n", func(t *testing.T, _ *repository) { t.Setenv("PATH", t.TempDir()) }},
		"no TMPDIR": {"true\n", func(t *testing.T, _ *repository) { t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere")) }},
		"a sibling cannot be read": {"true\n", func(t *testing.T, mirror *repository) {
			id := mirror.id("HEAD").String()
			name := filepath.Join(mirror.objects(), id[:2], id[2:])
			if err := os.Chmod(name, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte("damaged"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			run, repositories := family(t, "1.24")
			alone(t)
			run.Script = test.script
			test.fault(t, repositories[0])
			err := run.Run(t.Context())
			if _, failed := errors.AsType[*smoke.FailedError](err); failed || err == nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func numbered(word string, from, to int) string {
	var lines strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintln(&lines, word, i)
	}
	return lines.String()
}

// alive reports whether a process, zombies aside, has a word among its arguments.
func alive(t *testing.T, word string) bool {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if args, err := os.ReadFile(name); err == nil && strings.Contains(string(args), word) {
			return true
		}
	}
	return false
}

// when calls a function when a line with a text is logged.
func when(text string, do func()) *slog.Logger {
	return slog.New(slog.NewTextHandler(writer(func(line string) {
		if strings.Contains(line, text) {
			do()
		}
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type writer func(string)

func (w writer) Write(data []byte) (int, error) { w(string(data)); return len(data), nil }

func TestCancelKillsWhatTheScriptStarted(t *testing.T) {
	r := newRepository(t)
	commit := r.commit(map[string]string{"a": "1\n"})
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	word := fmt.Sprintf("cancelled-%d", os.Getpid())
	test := smoke.Test{
		Destination: "r", Branch: "master", Commit: commit, ObjectDirs: []string{r.objects()}, Builder: confined(), Log: when("smoke test: ready", cancel),
		Script: `
(trap '' TERM; setsid bash -c 'sleep 1000; : ` + word + `' & bash -c 'echo ready; sleep 1000; : ` + word + `') &
wait
`,
	}
	err := test.Run(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
	if _, ok := errors.AsType[*smoke.FailedError](err); ok {
		t.Error("a test that was cancelled counts as failed")
	}
	if alive(t, word) {
		t.Error("a process lives on")
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWhatRunsInTheBackgroundEndsWithTheScript(t *testing.T) {
	r := newRepository(t)
	commit := r.commit(map[string]string{"a": "1\n"})
	for name, script := range map[string]string{
		"in the group":            `bash -c 'sleep 1000; : WORD' &`,
		"in a session of its own": `setsid bash -c 'sleep 1000; : WORD' & sleep 0.2`,
	} {
		t.Run(name, func(t *testing.T) {
			word := fmt.Sprintf("background-%d-%d", os.Getpid(), len(name))
			test := smoke.Test{
				Destination: "r", Branch: "master", Commit: commit, Builder: confined(), ObjectDirs: []string{r.objects()},
				Script: strings.ReplaceAll(script, "WORD", word),
			}
			if err := test.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if alive(t, word) {
				t.Error("it lives on")
			}
		})
	}
}

func TestScriptThatGoesOverALimitHasNotFailed(t *testing.T) {
	r := newRepository(t)
	test := smoke.Test{
		Destination: "r", Branch: "master", Commit: r.commit(map[string]string{"a": "1\n"}), ObjectDirs: []string{r.objects()},
		Builder: builder.Config{Limits: sandbox.Limits{Time: 200 * time.Millisecond}}, Script: "sleep 1000",
	}
	err := test.Run(t.Context())
	if _, ok := errors.AsType[*sandbox.LimitError](err); !ok || !strings.Contains(err.Error(), "limit of time, 200ms") {
		t.Errorf("%v, want that it had too much time", err)
	}
}

func TestScriptHasNoNetworkButTheProxy(t *testing.T) {
	if err := sandbox.Supported(t.Context()); err != nil {
		t.Fatal(err)
	}
	test, _ := family(t, "1.24")
	alone(t)
	test.Script = build + `
for variable in $(compgen -e); do
	case $variable in
	PATH|HOME|TMPDIR|LANG|PWD|OLDPWD|SHLVL|_|GO*|GIT_CONFIG_*|GIT_ATTR_NOSYSTEM|GIT_TERMINAL_PROMPT) ;;
	*) echo "$variable is set"; exit 1 ;;
	esac
done
if (exec 3<>/dev/tcp/192.0.2.1/80); then exit 1; fi
test "$(grep -c : /proc/net/dev)" = 1
`
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
	if err := test.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
