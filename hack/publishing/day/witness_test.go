package day

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// mustBePublished: the publisher proves what is on the servers and says that nothing
// waits, and a publication from nothing has the same hashes.
func (w *world) mustBePublished() {
	w.Helper()
	w.publish("verify", w.path("proof"), "--remote")
	w.publish("sync", w.path("fresh"), "--remote", "none", "--consumers", "none")
	for _, d := range destinations {
		refs := func(dir string) string { return w.git("-C", dir, "for-each-ref", "--format=%(objectname) %(refname)") }
		have, want := refs(w.remotes.Dir(d)), refs(filepath.Join(w.path("fresh"), d, "mirror.git"))
		if have != want {
			w.Errorf("the remote of %s has\n%s\nnot\n%s", d, have, want)
		}
	}
	var status struct {
		Destinations []struct {
			Name, Error string
			Waiting     int
		}
	}
	w.must(json.Unmarshal([]byte(w.run(exec.Command(publisher, "status", "--mirrors", w.path("mirrors"), "-o", "json"))), &status))
	if len(status.Destinations) != len(destinations) {
		w.Errorf("publisher status tells of %d destinations", len(status.Destinations))
	}
	for _, d := range status.Destinations {
		if d.Error != "" || d.Waiting != 0 {
			w.Errorf("publisher status says of %s that %d refs wait, %s", d.Name, d.Waiting, d.Error)
		}
	}
}

// mustServeGit: what git clones is whole.
func (w *world) mustServeGit() {
	w.Helper()
	for _, d := range destinations {
		clone := filepath.Join(w.path("clones"), d)
		w.git("clone", "--quiet", w.server.URL+"/"+d+".git", clone)
		w.git("-C", clone, "fsck", "--full", "--strict")
	}
}

// mustServeGo: the go command finds each version where the module path leads, without
// any proxy of modules, and a program that requires the newest ones builds.
func (w *world) mustServeGo() {
	w.Helper()
	proxy := w.internet()
	environment := w.environment("GOPROXY=direct", "GOSUMDB=off", "GOWORK=off", "GOTOOLCHAIN=local", "GOFLAGS=-modcacherw",
		"GOPATH="+w.path("gopath"), "SSL_CERT_FILE="+w.server.CA, "HTTPS_PROXY="+proxy, "https_proxy="+proxy, "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	consumer := w.path("consumer")
	w.must(os.Mkdir(consumer, 0o777))
	command := func(args ...string) string {
		w.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = consumer, environment
		return w.run(cmd)
	}
	command("mod", "init", "example.org/consumer")
	var all, newest []string
	for _, d := range destinations {
		versions := strings.Fields(w.remotes.Git(d, "tag", "--list", "v0.*", "--sort=version:refname"))
		if len(versions) != releases*tags {
			w.Errorf("%s has the versions %q", d, versions)
		}
		for _, v := range versions {
			all = append(all, modules+d+"@"+v)
		}
		newest = append(newest, all[len(all)-1])
	}
	command(append([]string{"mod", "download"}, all...)...)
	command(append([]string{"get"}, newest...)...)
	main := "package main\n\nimport (\n"
	for _, d := range destinations {
		main += fmt.Sprintf("\t%q\n", modules+d)
	}
	main += ")\n\nfunc main() { println(" + strings.Join(destinations, ".Name, ") + ".Name) }\n"
	w.must(os.WriteFile(filepath.Join(consumer, "main.go"), []byte(main), 0o666))
	command("build", "-mod=readonly", "-o", "consumer", ".")
	out, err := exec.Command(filepath.Join(consumer, "consumer")).CombinedOutput()
	if want := strings.Join(destinations, " ") + "\n"; err != nil || string(out) != want {
		w.Errorf("the consumer prints %q, %v", out, err)
	}
}

// internet is where the module paths' host is found: a proxy of HTTP that leads all
// names to a server with the pages that say where the modules' repositories are. It
// returns the proxy's URL.
func (w *world) internet() string {
	w.Helper()
	pages := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		fmt.Fprintf(rw, `<meta name="go-import" content="%s git %s/%s.git">`, modules+name, w.server.URL, name)
	}))
	w.Cleanup(pages.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(rw, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		there, err := net.Dial("tcp", pages.Listener.Addr().String())
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadGateway)
			return
		}
		defer there.Close()
		here, buffered, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		defer here.Close()
		fmt.Fprint(here, "HTTP/1.1 200 OK\r\n\r\n")
		var one sync.WaitGroup
		one.Go(func() {
			defer here.Close()
			_, _ = io.Copy(here, there)
		})
		_, _ = io.Copy(there, buffered)
		there.Close()
		one.Wait()
	}))
	w.Cleanup(proxy.Close)
	return proxy.URL
}

// mustHaveToldNothing looks for the secret in what the publisher wrote.
func (w *world) mustHaveToldNothing(b *bot) {
	w.Helper()
	if strings.Contains(b.log.String(), canary) {
		w.Error("the log has the secret")
	}
}
