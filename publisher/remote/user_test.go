package remote_test

import (
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/remote"
)

// TestPasswordOfTheUsersConfigurationIsNotPassedOn has git's configuration put a
// password into URLs.
func TestPasswordOfTheUsersConfigurationIsNotPassedOn(t *testing.T) {
	w := newWorld(t)
	config := w.file("config", "[url \"https://example.com/\"]\n\tinsteadOf = x:\n[url \"ssh://git@example.com/\"]\n\tpushInsteadOf = y:\n")
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	w.read()
	gittest.Git(t, t.TempDir(), "", "config", "--file", config, "url.https://bot:s3cr3t@127.0.0.1/.insteadOf", "https://127.0.0.1/")
	w.client = w.newClient()
	_, err := w.client.Refs(t.Context(), w.url)
	w.fails(err, remote.Denied, "insteadOf for 127.0.0.1")
	if strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("the error tells the secret: %v", err)
	}
}

// TestHistoryThatIsCutOffIsNotFetched has a shallow clone for a remote.
func TestHistoryThatIsCutOffIsNotFetched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.push(w.read(), w.all())
	w.must(err)
	gittest.Git(t, w.remote.Root, "", "clone", "--quiet", "--bare", "--depth=1", "--branch=main", w.remote.File()[:len("file://")]+w.remote.Dir("mirror"), w.remote.Dir("shallow"))
	w.url = "file://" + w.remote.Dir("shallow")
	to := gittest.New(t)
	to.Git("for-each-ref")
	if err := w.client.Fetch(t.Context(), w.url, to.Dir, w.read()); err == nil || !strings.Contains(err.Error(), "shallow") {
		t.Errorf("got %v", err)
	}
}
