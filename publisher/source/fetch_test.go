package source_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/source"
)

func commit(r *gittest.Repo, text string, parents ...object.ID) object.ID {
	return r.Commit(&object.Commit{
		Tree: r.Tree(gittest.Files{"a": gittest.Text(text)}), Parents: parents,
		Author: []byte("A <a@example.com> 1 +0000"), Committer: []byte("A <a@example.com> 1 +0000"), Message: []byte(text + "\n"),
	})
}

// refs are what a source has to publish, all of whose commits can be read.
func refs(t *testing.T, repo *source.Repository) map[string]object.ID {
	t.Helper()
	all := make(map[string]object.ID)
	for _, name := range repo.Branches() {
		id, _ := repo.Branch(name)
		all[name] = id
	}
	for _, tag := range repo.Tags() {
		all["tag "+tag.Name] = tag.ID
	}
	for name, id := range all {
		if _, _, err := repo.Store.Reader().ReadAny(id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return all
}

// fetch is what is had from a URL.
func fetch(t *testing.T, url, folder string) map[string]object.ID {
	t.Helper()
	repo, err := source.OpenOrFetch(t.Context(), url, folder, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	return refs(t, repo)
}

// TestHookNeverDirectsAFetch fetches with the variables that a hook of another
// repository has.
func TestHookNeverDirectsAFetch(t *testing.T) {
	r, other := gittest.New(t), gittest.New(t)
	first := commit(r, "first")
	r.Branch("main", first)
	tag := r.Tag("v1", first)
	want := map[string]object.ID{"main": first, "tag v1": tag}
	for variable, value := range map[string]string{
		"GIT_DIR": other.Dir, "GIT_COMMON_DIR": other.Dir, "GIT_INDEX_FILE": other.Dir + "/index", "GIT_NAMESPACE": "x", "GIT_PREFIX": "x/",
		"GIT_OBJECT_DIRECTORY": other.Dir + "/objects", "GIT_ALTERNATE_OBJECT_DIRECTORIES": r.Dir + "/objects", "GIT_QUARANTINE_PATH": other.Dir + "/objects",
		"GIT_SHALLOW_FILE": "/dev/null", "GIT_CONFIG": "/nowhere", "GIT_DEFAULT_HASH": "sha256",
	} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			if got := fetch(t, "file://"+r.Dir, t.TempDir()); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	if found := other.Git("count-objects", "-v"); !strings.HasPrefix(found, "count: 0\n") || !strings.Contains(found, "in-pack: 0\n") {
		t.Errorf("the other repository has objects now:\n%s", found)
	}
}

func TestFetchObeysTheUsersConfiguration(t *testing.T) {
	r := gittest.New(t)
	r.Branch("main", commit(r, "first"))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "url.file://"+r.Dir+".insteadOf")
	t.Setenv("GIT_CONFIG_VALUE_0", "https://example.invalid/mono")
	if got := fetch(t, "https://example.invalid/mono", t.TempDir()); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestFetchFollowsItsRemote(t *testing.T) {
	r, folder := gittest.New(t), t.TempDir()
	first := commit(r, "first")
	second := commit(r, "second", first)
	r.Branch("main", first)
	r.Branch("feature", first)
	tag := r.Tag("v1", first)
	for _, step := range []struct {
		name   string
		change func()
		want   map[string]object.ID
	}{
		{"at first", func() {}, map[string]object.ID{"main": first, "feature": first, "tag v1": tag}},
		{"news", func() { r.Branch("main", second) }, map[string]object.ID{"main": second, "feature": first, "tag v1": tag}},
		{"in the way of itself", func() { r.Git("branch", "-m", "feature", "feature/renamed") }, map[string]object.ID{"main": second, "feature/renamed": first, "tag v1": tag}},
		{"rewritten", func() { r.Branch("main", first); r.Git("tag", "-d", "v1") }, map[string]object.ID{"main": first, "feature/renamed": first}},
		{"killed meanwhile", func() {
			r.Branch("main", second)
			dirs, err := filepath.Glob(filepath.Join(folder, "*.git"))
			if err != nil || len(dirs) != 1 {
				t.Fatal(dirs, err)
			}
			for _, name := range []string{"packed-refs.lock", "refs/heads/main.lock", "objects/pack/tmp_pack_abcdef", "objects/pack/.tmp-1-pack-x.pack", "shallow.lock", "config.lock", "HEAD.lock"} {
				if err := os.WriteFile(filepath.Join(dirs[0], name), []byte("half"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if err := source.Recover(folder); err != nil {
				t.Fatal(err)
			}
		}, map[string]object.ID{"main": second, "feature/renamed": first}},
	} {
		step.change()
		if got := fetch(t, "file://"+r.Dir, folder); !maps.Equal(got, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, got, step.want)
		}
	}
	if err := source.Recover(filepath.Join(folder, "nowhere")); err != nil {
		t.Error(err)
	}
}

// TestShallowRemoteIsNotKept: a fetch from a shallow repository is shallow, and
// would stay so.
func TestShallowRemoteIsNotKept(t *testing.T) {
	r, folder := gittest.New(t), t.TempDir()
	first := commit(r, "first")
	r.Branch("main", commit(r, "second", first))
	r.Git("count-objects")
	clone := filepath.Join(t.TempDir(), "clone.git")
	gittest.Git(t, r.Dir, "", "clone", "--quiet", "--bare", "--depth=1", "file://"+r.Dir, clone)
	_, err := source.OpenOrFetch(t.Context(), "file://"+clone, folder, slog.New(slog.DiscardHandler))
	if shallow, ok := errors.AsType[*source.ShallowError](err); !ok || shallow.Path != "file://"+clone {
		t.Fatalf("got %v", err)
	}
	gittest.Git(t, clone, "", "fetch", "--quiet", "--unshallow")
	if got := fetch(t, "file://"+clone, folder); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

// TestWhatIsWrongWithAURLIsSaidWithoutItsPassword has nobody to ask: git may not
// reach others.
func TestWhatIsWrongWithAURLIsSaidWithoutItsPassword(t *testing.T) {
	t.Setenv("GIT_ALLOW_PROTOCOL", "none")
	for _, url := range []string{
		"https://bot:swordfish@127.0.0.1/source", "https://bot:swordfish@[::1/source", "http://bot:swordfish%zz@127.0.0.1/x", "http://bot:swordfish@127.0.0.1:port/x",
		"ssh://bot:swordfish@127.0.0.1/source", "unknown://bot:swordfish@127.0.0.1/source", "https://swordfish@127.0.0.1/source",
	} {
		folder, log := t.TempDir(), new(strings.Builder)
		_, err := source.OpenOrFetch(t.Context(), url, folder, slog.New(slog.NewTextHandler(log, nil)))
		if err == nil || strings.Contains(err.Error(), "swordfish") || strings.Contains(log.String(), "swordfish") {
			t.Errorf("%s: %v\n%s", url, err, log)
		}
		walked := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			if strings.Contains(string(data), "swordfish") {
				t.Errorf("%s has the password in it", path)
			}
			return err
		})
		if walked != nil {
			t.Error(walked)
		}
	}
}
