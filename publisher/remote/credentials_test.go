package remote_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/credential"
	"k8s.io/publisher/gitserver"
	"k8s.io/publisher/remote"
)

func (w *world) file(name, text string) string {
	w.Helper()
	file := filepath.Join(w.TempDir(), name)
	w.must(os.WriteFile(file, []byte(text), 0o600))
	return file
}

// at is an entry for the server.
func (w *world) at(e credential.Entry) credential.Entry {
	e.URL, e.CAFile = w.server.URL, w.server.CA
	return e
}

// TestServersAreReachedWithTheirCredentials pushes with what is right, and with what
// was right before it was replaced.
func TestServersAreReachedWithTheirCredentials(t *testing.T) {
	t.Parallel()
	const secret = `s3cr3t+/%@"' $x`
	for name, test := range map[string]struct {
		entry func(w *world, file string) credential.Entry
		set   func(s *gitserver.HTTP, secret string)
	}{
		"a token": {func(w *world, file string) credential.Entry { return credential.Entry{TokenFile: file} }, func(s *gitserver.HTTP, secret string) { s.User, s.Password = "x-access-token", secret }},
		"a password": {func(w *world, file string) credential.Entry {
			return credential.Entry{TokenFile: file, Username: "b@t"}
		}, func(s *gitserver.HTTP, secret string) { s.User, s.Password = "b@t", secret }},
		"a bearer's token": {func(w *world, file string) credential.Entry {
			return credential.Entry{TokenFile: file, Scheme: "bearer"}
		}, func(s *gitserver.HTTP, secret string) { s.Bearer = secret }},
		"a helper": {func(w *world, file string) credential.Entry {
			return credential.Entry{Helper: fmt.Sprintf("!f() { echo username=bot; echo \"password=$(cat '%s')\"; }; f", file)}
		}, func(s *gitserver.HTTP, secret string) { s.Password = secret }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			secret := secret
			if name != "a helper" {
				secret = strings.ReplaceAll(secret, " ", "_")
			}
			file := w.file("secret", secret+"\n")
			w.client = w.newClient(w.at(test.entry(w, file)))
			w.server.Set(func(s *gitserver.HTTP) { test.set(s, secret) })
			_, err := w.push(w.read(), w.all())
			w.must(err)
			w.has(w.all())
			w.server.Set(func(s *gitserver.HTTP) { test.set(s, "another") })
			_, err = w.client.Refs(t.Context(), w.url)
			w.fails(err, remote.Denied, "look at the credentials")
			if strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the error tells the secret: %v", err)
			}
			w.must(os.WriteFile(file, []byte("another\n"), 0o600))
			w.read()
		})
	}
}

// TestTokenReplacedJustNow has a server take only the token that comes into its file
// while the one before is refused.
func TestTokenReplacedJustNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := w.file("token", "before")
	w.client = w.newClient(w.at(credential.Entry{TokenFile: file}))
	w.server.Set(func(s *gitserver.HTTP) {
		s.Password = "after"
		s.Refused = func(r *http.Request) {
			if _, password, ok := r.BasicAuth(); ok && password == "before" {
				w.must(os.WriteFile(file, []byte("after"), 0o600))
			}
		}
	})
	_, err := w.push(w.read(), w.all())
	w.must(err)
}

// TestServerThatRepeatsSecrets has a server send back what it was sent.
func TestServerThatRepeatsSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client = w.newClient(w.at(credential.Entry{TokenFile: w.file("token", "s3cr3t"), Scheme: "bearer"}))
	w.times(1000, always, func(rw http.ResponseWriter, r *http.Request) {
		http.Error(rw, "you are not "+r.Header.Get("Authorization"), http.StatusForbidden)
	})
	_, err := w.client.Refs(t.Context(), w.url)
	w.fails(err, remote.Denied, "you are not Bearer xxxxx")
	if strings.Contains(fmt.Sprintf("%v %+v", err, err), "s3cr3t") {
		t.Errorf("the error tells the secret: %v", err)
	}
}

// TestNoCredentialsGoAlong has a server redirect to another one, which asks for
// credentials.
func TestNoCredentialsGoAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.remote.HTTP()
	asked := false
	other.Set(func(s *gitserver.HTTP) {
		s.Password = "x"
		s.Refused = func(*http.Request) { asked = true }
	})
	w.client = w.newClient(w.at(credential.Entry{TokenFile: w.file("token", "s3cr3t")}))
	w.times(1000, always, func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, other.URL+r.URL.RequestURI(), http.StatusFound)
	})
	if _, err := w.client.Refs(t.Context(), w.url); err == nil || asked {
		t.Errorf("got %v, and the other server was asked: %v", err, asked)
	}
}

// TestSSHKeys pushes by sshd with the right key, and fails with another one, and to a
// server that is not the one that is known.
func TestSSHKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := w.remote.SSH()
	w.url = strings.Replace(server.Template, "{{.Destination}}", "mirror", 1)
	use := func(key, hosts string) {
		w.client = w.newClient(credential.Entry{URL: w.url, KeyFile: key, KnownHosts: hosts})
	}
	use(server.Key, server.KnownHosts)
	_, err := w.push(w.read(), w.all())
	w.must(err)
	w.has(w.all())
	use(server.Other, server.KnownHosts)
	_, err = w.client.Refs(t.Context(), w.url)
	w.fails(err, remote.Denied, "Permission denied")
	use(server.Key, server.Strange)
	_, err = w.client.Refs(t.Context(), w.url)
	w.fails(err, remote.Denied, "Host key verification failed")
	use(server.Key, w.file("hosts", ""))
	_, err = w.client.Refs(t.Context(), w.url)
	w.fails(err, remote.Denied, "Host key verification failed")
	use(server.Key, server.KnownHosts)
	_, err = w.client.Refs(t.Context(), strings.Replace(w.url, "mirror", "other", 1))
	if err == nil {
		t.Error("there is a repository other")
	}
	w.url = strings.Replace(w.url, "mirror.git", "other.git", 1)
	use(server.Key, server.KnownHosts)
	_, err = w.client.Refs(t.Context(), w.url)
	w.fails(err, remote.Missing)
}
