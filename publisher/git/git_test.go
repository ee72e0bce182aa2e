package git_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/git"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
)

func write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
}

func output(t testing.TB, c git.Command, args ...string) string {
	t.Helper()
	out, err := c.Output(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// repository has two commits, a branch, and a tag.
func repository(t testing.TB) (r *gittest.Repo, first, second object.ID) {
	t.Helper()
	r = gittest.New(t)
	commit := func(text string, parents ...object.ID) object.ID {
		return r.Commit(&object.Commit{
			Tree:    r.Tree(gittest.Files{"a.txt": gittest.Text(text + "\n$Id$\n"), ".gitattributes": gittest.Text("*.go text\n")}),
			Parents: parents, Author: []byte("A <a@example.com> 1 +0000"), Committer: []byte("A <a@example.com> 1 +0000"), Message: []byte(text + "\n"),
		})
	}
	first = commit("first")
	second = commit("second", first)
	r.Branch("main", second)
	r.Tag("v1", second)
	return r, first, second
}

// fake puts a git of our own into PATH.
func fake(t testing.TB, script string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "git"), "#!/bin/sh\n"+script)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestVariablesOfAHookNeverDirectGit sets each variable by which git, or a hook
// of it, is told of a repository.
func TestVariablesOfAHookNeverDirectGit(t *testing.T) {
	r, _, _ := repository(t)
	other, _, _ := repository(t)
	other.Branch("other", other.Commit(&object.Commit{
		Tree: other.Tree(gittest.Files{"b": gittest.Text("b")}), Author: []byte("B <b@example.com> 1 +0000"), Committer: []byte("B <b@example.com> 1 +0000"),
	}))
	r.Git("count-objects") // All objects are written now.
	look := func(c git.Command) string {
		return output(t, c, "rev-parse", "--git-dir", "--git-common-dir", "--git-path", "objects", "--git-path", "index", "--git-path", "shallow", "--is-bare-repository", "--show-prefix", "--show-object-format") +
			output(t, c, "for-each-ref") + output(t, c, "log", "main") + output(t, c, "count-objects", "-v")
	}
	commands := map[string]git.Command{"ours": {Dir: r.Dir}, "as the user": {Dir: r.Dir, AsUser: true}}
	want := make(map[string]string)
	for name, c := range commands {
		want[name] = look(c)
	}
	variables := map[string]string{
		"GIT_DIR": other.Dir, "GIT_COMMON_DIR": other.Dir, "GIT_WORK_TREE": t.TempDir(), "GIT_PREFIX": "sub/", "GIT_NAMESPACE": "other",
		"GIT_OBJECT_DIRECTORY": other.Dir + "/objects", "GIT_ALTERNATE_OBJECT_DIRECTORIES": other.Dir + "/objects", "GIT_QUARANTINE_PATH": other.Dir + "/objects",
		"GIT_INDEX_FILE": other.Dir + "/index", "GIT_SHALLOW_FILE": other.Dir + "/shallow", "GIT_GRAFT_FILE": other.Dir + "/grafts",
		"GIT_REPLACE_REF_BASE": "refs/heads/", "GIT_NO_REPLACE_OBJECTS": "", "GIT_CONFIG": other.Dir + "/config", "GIT_CONFIG_PARAMETERS": "'core.bare'='false'",
		"GIT_DEFAULT_HASH": "sha256", "GIT_EXEC_PATH": "/nowhere", "GIT_TRACE": "1", "GIT_REF_PARANOIA": "0", "GIT_IMPLICIT_WORK_TREE": "1", "GIT_DISCOVERY_ACROSS_FILESYSTEM": "x",
	}
	for variable, value := range variables {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			for name, c := range commands {
				if got := look(c); got != want[name] {
					t.Errorf("%s: got\n%s\nwant\n%s", name, got, want[name])
				}
			}
		})
	}
}

// TestVariablesOfAHookNeverDirectAFetch fetches within hooks.
func TestVariablesOfAHookNeverDirectAFetch(t *testing.T) {
	r, _, second := repository(t)
	other := gittest.New(t)
	for _, v := range []string{
		"GIT_DIR=" + other.Dir, "GIT_COMMON_DIR=" + other.Dir, "GIT_NAMESPACE=x", "GIT_SHALLOW_FILE=/dev/null",
		"GIT_OBJECT_DIRECTORY=" + other.Dir + "/objects", "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + r.Dir + "/objects", "GIT_QUARANTINE_PATH=" + other.Dir + "/objects",
	} {
		name, value, _ := strings.Cut(v, "=")
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			dir := filepath.Join(t.TempDir(), "to.git")
			if err := git.Init(dir); err != nil {
				t.Fatal(err)
			}
			output(t, git.Command{Dir: dir, AsUser: true}, "fetch", "--quiet", "file://"+r.Dir, "+refs/heads/*:refs/heads/*")
			if got := output(t, git.Command{Dir: dir}, "rev-list", "--objects", "--no-object-names", "refs/heads/main"); !strings.HasPrefix(got, second.String()) || strings.Count(got, "\n") != 7 {
				t.Errorf("got %s", got)
			}
			if found := other.Git("count-objects", "-v"); !strings.HasPrefix(found, "count: 0\n") || !strings.Contains(found, "in-pack: 0\n") {
				t.Errorf("the other repository has objects now:\n%s", found)
			}
		})
	}
}

// user makes a user and a system that have opinions about everything.
func user(t *testing.T) (executed string) {
	t.Helper()
	home := t.TempDir()
	executed = filepath.Join(home, "executed")
	for _, name := range []string{"GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"} {
		t.Setenv(name, "") // It is put back after the test.
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "xdg"))
	write(t, filepath.Join(home, "xdg", "git", "attributes"), "* ident text eol=crlf\na.txt export-ignore\n")
	write(t, filepath.Join(home, "xdg", "git", "config"), "[core]\n\tautocrlf = true\n")
	hook := filepath.Join(home, "hooks", "reference-transaction")
	write(t, hook, "#!/bin/sh\necho hook >>"+executed+"\n")
	write(t, filepath.Join(home, ".gitconfig"), "[core]\n\thooksPath = "+filepath.Dir(hook)+"\n\tattributesFile = "+home+"/xdg/git/attributes\n[user]\n\tname = user\n")
	write(t, filepath.Join(home, "system"), "[core]\n\teol = crlf\n[init]\n\tdefaultBranch = system\n")
	t.Setenv("GIT_CONFIG_SYSTEM", filepath.Join(home, "system"))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "user.email")
	t.Setenv("GIT_CONFIG_VALUE_0", "user@example.com")
	return executed
}

func TestUsersConfigurationAndAttributesChangeNothing(t *testing.T) {
	r, _, second := repository(t)
	r.Git("count-objects")
	all := func(c git.Command) string {
		return output(t, c, "config", "--list") + output(t, c, "archive", second.String()) + output(t, c, "check-attr", "-a", "a.txt")
	}
	want := all(git.Command{Dir: r.Dir})
	executed := user(t)
	if got := all(git.Command{Dir: r.Dir}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(output(t, git.Command{Dir: r.Dir}, "config", "--list", "--show-origin")) {
		if from, _, _ := strings.Cut(line, "\t"); from != "command line:" && from != "file:"+r.Dir+"/config" {
			t.Errorf("git has %s", line)
		}
	}
	output(t, git.Command{Dir: r.Dir}, "update-ref", "refs/heads/new", second.String())
	output(t, git.Command{Dir: r.Dir, AsUser: true}, "update-ref", "refs/heads/newer", second.String())
	if _, err := os.Stat(executed); err == nil {
		t.Error("a hook of the user's ran")
	}
}

// TestFetchHasWhatTheUserReachesOthersBy: configuration in its three places and
// in variables, and programs that ask for passwords or connect.
func TestFetchHasWhatTheUserReachesOthersBy(t *testing.T) {
	user(t)
	c := git.Command{Dir: gittest.New(t).Dir, AsUser: true, Config: []git.Setting{{Key: "publisher.own", Value: "ours"}}}
	for key, want := range map[string]string{
		"user.name": "user", "core.autocrlf": "true", "init.defaultBranch": "system", "user.email": "user@example.com", "publisher.own": "ours", "core.hooksPath": os.DevNull,
	} {
		if got := strings.TrimSpace(output(t, c, "config", "--get", key)); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for _, name := range []string{
		"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_SSL_NO_VERIFY", "GIT_SSL_CAINFO", "GIT_PROXY_COMMAND", "GIT_HTTP_USER_AGENT", "GIT_ALLOW_PROTOCOL",
		"SSH_AUTH_SOCK", "SSH_ASKPASS", "https_proxy", "NO_PROXY", "KRB5CCNAME",
	} {
		t.Setenv(name, "mine")
		has := func(c git.Command) bool {
			for _, v := range c.Environment() {
				if v == name+"=mine" {
					return true
				}
			}
			return false
		}
		if !has(c) {
			t.Errorf("a fetch does not have %s", name)
		}
		if has(git.Command{}) {
			t.Errorf("a command that reaches nobody has %s", name)
		}
	}
	t.Setenv("GIT_CONFIG_COUNT", "many")
	if err := c.Run(t.Context(), "config", "--list"); err == nil || !strings.Contains(err.Error(), "GIT_CONFIG_COUNT") {
		t.Errorf("got %v", err)
	}
}

// TestConfigurationOfARepositoryIsNotObeyed has git work in a repository that
// wants programs to run and history to look otherwise.
func TestConfigurationOfARepositoryIsNotObeyed(t *testing.T) {
	r, first, second := repository(t)
	look := func() string {
		c := git.Command{Dir: r.Dir}
		return output(t, c, "log", "--format=raw", "main") + output(t, c, "cat-file", "commit", second.String()) +
			output(t, c, "archive", second.String()) + output(t, c, "check-attr", "-a", "a.txt") + output(t, c, "merge-base", first.String(), second.String())
	}
	r.Git("count-objects")
	want := look()

	executed := filepath.Join(r.Dir, "executed")
	program := filepath.Join(r.Dir, "program")
	write(t, program, "#!/bin/sh\necho \"$0 $*\" >>"+executed+"\n")
	for _, hook := range []string{"hooks", "others"} {
		for _, name := range []string{"reference-transaction", "post-index-change", "pre-auto-gc", "fsmonitor-watchman"} {
			write(t, filepath.Join(r.Dir, hook, name), "#!/bin/sh\necho \"$0 $*\" >>"+executed+"\n")
		}
	}
	write(t, filepath.Join(r.Dir, "wild"), "* ident eol=crlf\n")
	for _, setting := range []string{
		"core.hooksPath=" + r.Dir + "/others", "core.fsmonitor=" + program, "core.sshCommand=" + program, "core.gitProxy=" + program, "core.pager=" + program, "core.askPass=" + program,
		"core.attributesFile=" + r.Dir + "/wild", "protocol.allow=always", "protocol.ext.allow=always", "protocol.file.allow=always", "core.repositoryFormatVersion=1",
		"extensions.partialClone=evil", "remote.evil.promisor=true", "remote.evil.url=ext::" + program, "gc.auto=1", "gc.autoPackLimit=1", "maintenance.auto=true",
	} {
		key, value, _ := strings.Cut(setting, "=")
		r.Git("config", key, value)
	}
	write(t, filepath.Join(r.Dir, "info", "grafts"), second.String()+"\n")
	write(t, filepath.Join(r.Dir, "refs", "replace", second.String()), first.String()+"\n")
	if got := look(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	c := git.Command{Dir: r.Dir}
	output(t, c, "update-ref", "refs/heads/new", second.String())
	output(t, c, "pack-refs", "--all")
	output(t, c, "repack", "-a", "-d", "-q")
	inTree := git.Command{Dir: r.Dir, Env: []string{"GIT_WORK_TREE=" + t.TempDir()}}
	output(t, inTree, "read-tree", "--reset", "-u", second.String())
	output(t, inTree, "status")
	const missing = "0123456789012345678901234567890123456789"
	for _, args := range [][]string{
		{"cat-file", "-p", missing}, {"rev-list", "--objects", missing}, {"ls-remote", "evil"}, {"fetch", "ssh://127.0.0.1/x"}, {"fetch", "file://" + r.Dir},
		{"fetch", "evil", missing}, {"fetch", "git://127.0.0.1/x"},
	} {
		err := c.Run(t.Context(), args...)
		if failed, ok := errors.AsType[*git.Error](err); !ok || !failed.Refused() {
			t.Errorf("git %v: %v", args, err)
		}
	}
	if data, err := os.ReadFile(executed); err == nil {
		t.Errorf("the repository had run\n%s", data)
	}
}

// TestBorrowedObjectsComeWithoutTheirRepository: filters have any names, so that
// no setting of ours is against them.
func TestBorrowedObjectsComeWithoutTheirRepository(t *testing.T) {
	r := gittest.New(t)
	tree := r.Tree(gittest.Files{"a.txt": gittest.Text("a\n"), ".gitattributes": gittest.Text("a.txt filter=evil\n")})
	executed := filepath.Join(r.Dir, "executed")
	r.Git("config", "filter.evil.smudge", "tee "+executed)
	r.Git("config", "filter.evil.required", "true")
	dir := filepath.Join(t.TempDir(), "ours.git")
	if err := git.Init(dir, filepath.Join(r.Dir, "objects")); err != nil {
		t.Fatal(err)
	}
	c := git.Command{Dir: dir}
	output(t, c, "archive", tree.String())
	if got := output(t, c, "cat-file", "-t", tree.String()); got != "tree\n" {
		t.Errorf("got %s", got)
	}
	output(t, c, "fsck", "--full", "--strict")
	if _, err := os.Stat(executed); err == nil {
		t.Error("a filter ran")
	}
	if err := git.Init(filepath.Join(t.TempDir(), "x.git"), "a\nb"); err == nil {
		t.Error("what cannot be borrowed is no error")
	}
}

func TestErrorTellsARefusalFromAFaultOfTheMachine(t *testing.T) {
	r, _, _ := repository(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	run := func(t *testing.T, ctx context.Context, args ...string) *git.Error {
		t.Helper()
		err := git.Command{Dir: r.Dir, Stdout: full}.Run(ctx, args...)
		failed, ok := errors.AsType[*git.Error](err)
		if !ok || failed.Command != args[0] || !strings.HasPrefix(err.Error(), "git "+args[0]+": ") {
			t.Fatalf("got %v", err)
		}
		return failed
	}
	t.Run("refusal", func(t *testing.T) {
		failed := run(t, t.Context(), "rev-parse", "--verify", "nonesuch")
		if _, ok := errors.AsType[*exec.ExitError](failed); !ok || !failed.Refused() || failed.Code() != 128 || failed.Stderr != "fatal: Needed a single revision" {
			t.Errorf("got %v", failed)
		}
	})
	t.Run("no", func(t *testing.T) {
		if failed := run(t, t.Context(), "show-ref", "--verify", "--quiet", "refs/heads/nonesuch"); !failed.Refused() || failed.Code() != 1 {
			t.Errorf("got %v", failed)
		}
	})
	t.Run("full disk", func(t *testing.T) {
		if failed := run(t, t.Context(), "for-each-ref"); failed.Refused() || failed.Code() != 128 {
			t.Errorf("got %v", failed)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("a cause")
		cancel(cause)
		if failed := run(t, ctx, "version"); failed.Refused() || !errors.Is(failed, cause) {
			t.Errorf("got %v", failed)
		}
	})
	for name, script := range map[string]string{
		"killed":           "kill -9 $$",
		"no memory":        "echo 'fatal: Out of memory, malloc failed (tried to allocate 8 bytes)' >&2; exit 128",
		"no file handles":  "echo 'error: open(\".git/x\"): Too many open files' >&2; exit 1",
		"killed child":     "echo 'error: index-pack died of signal 9' >&2; exit 128",
		"goes on":          "echo 'warning: unable to access .git/info/attributes: Input/output error' >&2",
		"killed, and full": "echo 'fatal: No space left on device' >&2; kill -9 $$",
	} {
		t.Run(name, func(t *testing.T) {
			fake(t, script)
			if failed := run(t, t.Context(), "archive"); failed.Refused() {
				t.Errorf("got %v", failed)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if failed := run(t, t.Context(), "archive"); failed.Refused() || failed.Code() != -1 || !errors.Is(failed, exec.ErrNotFound) {
			t.Errorf("got %v", failed)
		}
	})
}

func TestWordsOfGitAreBoundedAndFitToBePrinted(t *testing.T) {
	fake(t, `for i in $(seq 2000); do echo "line $i" >&2; done; printf 'fatal: \033[31mred\377\r\n' >&2; exit 1`)
	err := git.Command{}.Run(t.Context(), "x")
	if text := err.Error(); len(text) > 5000 || !strings.HasSuffix(text, "line 2000\nfatal: \\x1b[31mred\\xff") {
		t.Errorf("%d bytes: %q", len(text), text)
	}
	for text, want := range map[string]string{
		"plain ü 日本\tx\ny": "plain ü 日本\tx\ny", "\x1b]0;x\a": `\x1b]0;x\a`, "\u202egnp": `\u202egnp`, "\xff\ufffd\u0085": `\xff` + "\ufffd" + `\u0085`, `"\`: `"\`,
	} {
		if got := git.Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestSettingsAreInNoArgument: everyone on the machine sees those.
func TestSettingsAreInNoArgument(t *testing.T) {
	fake(t, `echo "$@"; cat; echo held >&3`)
	held, err := os.Create(filepath.Join(t.TempDir(), "held"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	c := git.Command{Config: []git.Setting{{Key: "http.extraHeader", Value: "swordfish"}}, Stdin: strings.NewReader("input"), Files: []*os.File{held}}
	if got, want := output(t, c, "fetch", "-q"), "fetch -q\ninput"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if data, err := os.ReadFile(held.Name()); err != nil || string(data) != "held\n" {
		t.Errorf("the file is not open in git: %q, %v", data, err)
	}
	if env := fmt.Sprint(c.Environment()); !strings.Contains(env, "swordfish") {
		t.Error("the setting is nowhere")
	}
}
