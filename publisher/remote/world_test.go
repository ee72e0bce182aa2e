package remote_test

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/publisher/credential"
	"k8s.io/publisher/gitserver"
	"k8s.io/publisher/gittest"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/remote"
)

// world is a repository to push, and a server with a remote that is empty to begin
// with, named mirror.
type world struct {
	testing.TB
	local  *gittest.Repo
	remote *gitserver.Repositories
	server *gitserver.HTTP
	client *remote.Client
	url    string
}

// history is what is pushed: commits 1 to 5 of main, a branch beside it, and tags.
const history = `
1: file=1
2 1: file=2 other=x
3 2: file=3
4 3: file=4
5 4: file=5
b 2: branch=1
branch main 5
branch release b
tag v1.0.0 2
tag v1.1.0 4
tag v1.1.1 b
`

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, local: gittest.New(t), remote: gitserver.New(t)}
	w.local.History(history)
	w.remote.Create("mirror")
	w.server = w.remote.HTTP()
	w.url = w.server.URL + "/mirror.git"
	w.client = w.newClient(credential.Entry{URL: w.server.URL, CAFile: w.server.CA})
	return w
}

// newClient is quick where it has to wait.
func (w *world) newClient(entries ...credential.Entry) *remote.Client {
	w.Helper()
	set, err := credential.New(entries...)
	w.must(err)
	return &remote.Client{Credentials: set, Pause: 20 * time.Millisecond}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refs returns what the local repository's refs of some names are.
func (w *world) refs(names ...string) map[string]mirror.Ref {
	w.Helper()
	refs := make(map[string]mirror.Ref)
	for _, name := range names {
		refs[name] = mirror.Ref{ID: w.id(name)}
	}
	return refs
}

func (w *world) id(name string) object.ID {
	w.Helper()
	id, err := object.ParseID([]byte(strings.TrimSpace(w.local.Git("rev-parse", name))))
	w.must(err)
	return id
}

// all are all refs of the local repository.
func (w *world) all() map[string]mirror.Ref {
	w.Helper()
	return w.refs(strings.Fields(w.local.Git("for-each-ref", "--format=%(refname)"))...)
}

func (w *world) read() remote.Refs {
	w.Helper()
	refs, err := w.client.Refs(w.Context(), w.url)
	w.must(err)
	return refs
}

func (w *world) push(read remote.Refs, update map[string]mirror.Ref) (remote.Pushed, error) {
	w.Helper()
	return w.client.Push(w.Context(), w.url, read, update, filepath.Join(w.local.Dir, "objects"))
}

// has checks which refs the remote has.
func (w *world) has(refs map[string]mirror.Ref) {
	w.Helper()
	got := make(map[string]bool)
	for _, line := range strings.Split(w.remote.Git("mirror", "for-each-ref", "--format=%(refname) %(objectname)"), "\n") {
		got[line] = line != ""
	}
	for name, ref := range refs {
		line := fmt.Sprintf("%s %s", name, ref.ID)
		if !got[line] {
			w.Errorf("the remote does not have %s", line)
		}
		delete(got, line)
	}
	for line, there := range got {
		if there {
			w.Errorf("the remote has %s", line)
		}
	}
	w.remote.Git("mirror", "fsck", "--full", "--strict", "--no-dangling")
}

// fails checks an error: its kind, and what it says.
func (w *world) fails(err error, kind remote.Kind, texts ...string) {
	w.Helper()
	failed, ok := errors.AsType[*remote.Error](err)
	if !ok || failed.Kind != kind {
		w.Fatalf("got %v, and not an error of the kind %q", err, kind)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			w.Errorf("the error does not say %q:\n%v", text, err)
		}
	}
}

// pushes counts the packs that the server was sent.
func (w *world) pushes() int {
	w.Helper()
	n := 0
	w.server.Set(func(s *gitserver.HTTP) {
		for _, r := range s.Requests {
			if strings.HasPrefix(r, "POST ") && strings.HasSuffix(r, "/git-receive-pack") {
				n++
			}
		}
	})
	return n
}

// times has something done to the first requests of a kind.
func (w *world) times(n int, which func(*http.Request) bool, do func(http.ResponseWriter, *http.Request)) {
	w.server.Set(func(s *gitserver.HTTP) {
		s.Intercept = func(rw http.ResponseWriter, r *http.Request) bool {
			if !which(r) {
				return true
			}
			s.Lock()
			now := n > 0
			n--
			s.Unlock()
			if now {
				do(rw, r)
			}
			return !now
		}
	})
}
