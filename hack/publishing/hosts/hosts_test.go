package hosts

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/publishtest"
)

// TestAnyHostServesTheSite has each web server of docs/serving.md serve one site.
func TestAnyHostServesTheSite(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := readText(t)
	cert := newCertificate(t)
	for name, start := range map[string]func(*host){
		"publisher serve": func(h *host) { h.publisher(d) },
		"nginx":           func(h *host) { h.nginx(d, cert) },
		"Caddy":           func(h *host) { h.caddy(d, cert) },
	} {
		t.Run(name, func(t *testing.T) {
			h := &host{TB: t, site: s, dir: t.TempDir(), client: http.DefaultClient}
			start(h)
			h.sendsTheHeaders(d)
			h.compresses()
			h.hides()
			h.isPinnedFrom()
			h.isClonedFrom()
		})
	}
}

// host serves a site.
type host struct {
	testing.TB
	site   *site
	dir    string // for what it needs
	url    string
	client *http.Client
	// cert is the file with the certificate that clients have to know; empty where there
	// is none.
	cert string
}

// publisher starts publisher serve.
func (h *host) publisher(d text) {
	address := freeAddress(h)
	h.url = "http://" + address
	line, _, _ := strings.Cut(d.block("# Serving the site", "/srv/site", h.site.dir), "#")
	args := append(strings.Fields(line)[1:], "--listen", address, "--access-log=false")
	h.start(exec.Command(h.site.publisher, args...))
}

// nginx starts it with the configuration of the documentation where Debian's package has those of
// sites: within http, after the types of files.
func (h *host) nginx(d text, c *certificate) {
	_, port, _ := net.SplitHostPort(freeAddress(h))
	h.secure("localhost:"+port, c)
	conf := filepath.Join(h.dir, "site.conf")
	h.write(conf, d.block("### nginx", "listen 443 ssl", "listen 127.0.0.1:"+port+" ssl", "server_name example.org", "server_name localhost",
		"/etc/ssl/example.org.pem", c.cert, "/etc/ssl/example.org.key", c.key, "/srv/site", h.site.dir))
	main := filepath.Join(h.dir, "nginx.conf")
	h.write(main, fmt.Sprintf(`daemon off; user root; pid %[1]s/pid; error_log stderr crit;
events {}
http {
	include /etc/nginx/mime.types;
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	include %[2]s;
}
`, h.dir, conf))
	h.start(exec.Command("nginx", "-p", h.dir, "-e", "stderr", "-c", main))
}

func (h *host) caddy(d text, c *certificate) {
	_, port, _ := net.SplitHostPort(freeAddress(h))
	h.secure("localhost:"+port, c)
	file := filepath.Join(h.dir, "Caddyfile")
	h.write(file, "{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n"+
		d.block("### Caddy", "example.org {", "localhost:"+port+" {\n\ttls "+c.cert+" "+c.key, "/srv/site", h.site.dir))
	cmd := exec.Command("caddy", "run", "--config", file, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+h.dir, "XDG_DATA_HOME="+h.dir, "XDG_CONFIG_HOME="+h.dir)
	h.start(cmd)
}

func (h *host) secure(address string, c *certificate) {
	h.url, h.cert = "https://"+address, c.cert
	h.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.pool}, DisableCompression: true}}
}

// start runs a server until the test is over.
func (h *host) start(cmd *exec.Cmd) {
	h.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	h.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // It may have ended already.
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if h.Failed() {
			h.Logf("%s said:\n%s", cmd.Path, &said)
		}
	})
	for {
		r, err := h.client.Get(h.url)
		if err == nil {
			r.Body.Close()
			return
		}
		select {
		case is := <-ended:
			ended <- is
			h.Fatalf("%s: %v: %s", cmd.Path, is, &said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (h *host) write(name, text string) {
	h.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		h.Fatal(err)
	}
}

// get asks for a file.
func (h *host) get(name string, headers ...string) (*http.Response, []byte) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, h.url+"/"+name, nil)
	if err != nil {
		h.Fatal(err)
	}
	// Nobody decodes it behind our back.
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := *h.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		h.Fatal(err)
	}
	return answer, body
}

// sendsTheHeaders asks for every file, and compares with the table.
func (h *host) sendsTheHeaders(d text) {
	h.Helper()
	rows, policies := d.rows(), d.policies()
	seen := make(map[*row]int)
	files, _ := h.site.files()
	for _, name := range some(files) {
		answer, body := h.get(name)
		if answer.StatusCode != http.StatusOK || string(body) != h.site.read(name) {
			h.Errorf("%s: %s, with %d bytes", name, answer.Status, len(body))
		}
		want := of(rows, name)
		if want == nil {
			h.Errorf("%s: no row of the table fits", name)
			continue
		}
		seen[want]++
		if got := answer.Header.Values("Cache-Control"); !slices.Equal(got, []string{want.cache}) {
			h.Errorf("%s: Cache-Control is %q, not %q", name, got, want.cache)
		}
		if got, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";"); got != want.mime && want.mime != "any" {
			h.Errorf("%s: Content-Type is %q, not %q", name, got, want.mime)
		}
		for _, p := range policies {
			if got := answer.Header.Get(p[0]); isPage(name) && got != p[1] {
				h.Errorf("%s: %s is %q, not %q", name, p[0], got, p[1])
			}
		}
	}
	for i := range rows {
		if seen[&rows[i]] == 0 {
			h.Errorf("no file shows the row of %v", rows[i].patterns)
		}
	}
	answer, _ := h.get("mod/example.com/group/!client/@v/v0.20.0.zip", "Range", "bytes=0-3")
	if answer.StatusCode != http.StatusPartialContent {
		h.Errorf("of a part of a zip, the answer is %s", answer.Status)
	}
	answer, _ = h.get("index.html")
	if answer, _ = h.get("index.html", "If-None-Match", answer.Header.Get("Etag")); answer.StatusCode != http.StatusNotModified {
		h.Errorf("of what is known already, the answer is %s", answer.Status)
	}
}

// compresses asks for files of each kind.
func (h *host) compresses() {
	h.Helper()
	files, _ := h.site.files()
	texts := map[string]string{".html": "", ".css": "", ".js": "", ".atom": "", ".json": "", "data": ""}
	for _, name := range files {
		kind := filepath.Ext(name)
		if strings.HasPrefix(name, "sumdb/tile/8/data/") {
			kind = "data"
		}
		if was, ok := texts[kind]; ok && was == "" && len(h.site.read(name)) > 1200 {
			texts[kind] = name
		}
	}
	for kind, name := range texts {
		if name == "" {
			h.Errorf("the site has no large %s", kind)
			continue
		}
		answer, body := h.get(name, "Accept-Encoding", "gzip")
		if answer.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(answer.Header.Get("Vary"), "Accept-Encoding") {
			h.Errorf("%s, which is text, comes with %v", name, answer.Header)
			continue
		}
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			h.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != h.site.read(name) {
			h.Errorf("%s comes out as something else: %v", name, err)
		}
	}
	for _, name := range files {
		switch filepath.Ext(name) {
		case ".zip", ".pack", ".idx":
			if answer, _ := h.get(name, "Accept-Encoding", "gzip"); answer.Header.Get("Content-Encoding") != "" {
				h.Errorf("%s is compressed again", name)
			}
		}
	}
}

// hides asks for what is not to be served.
func (h *host) hides() {
	h.Helper()
	_, hidden := h.site.files()
	for _, name := range append(hidden, "none", "mod/example.com/none/@v/list", "mod/example.com/api/@v/v0.99.0.info", "sumdb/lookup/example.com/api@v0.99.0") {
		if answer, body := h.get(name); answer.StatusCode != http.StatusNotFound || strings.Contains(string(body), "hidden") {
			h.Errorf("%s: %s", name, answer.Status)
		}
	}
	for _, folder := range []string{"mod/", "sumdb/", "git/api.git/"} {
		if answer, body := h.get(folder); answer.StatusCode < 400 || strings.Contains(string(body), "example.com") {
			h.Errorf("%s: %s", folder, answer.Status)
		}
	}
	// A folder with a page is one.
	if answer, body := h.get(""); answer.StatusCode != http.StatusOK || string(body) != h.site.read("index.html") {
		h.Errorf("the way in: %s", answer.Status)
	}
	if answer, _ := h.get("modules/api"); answer.StatusCode/100 != 3 || !strings.HasSuffix(answer.Header.Get("Location"), "/modules/api/") {
		h.Errorf("a page's folder: %s, to %s", answer.Status, answer.Header.Get("Location"))
	}
}

// isPinnedFrom has a go command that knows nothing else get a module: with the checksum database at its
// own URL, and through the module proxy.
func (h *host) isPinnedFrom() {
	h.Helper()
	for _, database := range []string{h.site.key + " " + h.url + "/sumdb", h.site.key} {
		g := publishtest.NewGo(h, "GOPROXY="+h.url+"/mod", "GOSUMDB="+database, "SSL_CERT_FILE="+h.cert)
		g.Write("go.mod", "module consumer\n\ngo 1.24\n")
		g.Write("main.go", "package main\n\nimport \"example.com/group/Client\"\n\nfunc main() { println(client.Name) }\n")
		for _, query := range []string{"v0.20.0", "latest", "master"} {
			g.Run("get", "example.com/group/Client@"+query)
		}
		g.Run("build", "-mod=readonly", "-o", os.DevNull, ".")
		g.Run("mod", "verify")
	}
}

// isClonedFrom has git clone a mirror.
func (h *host) isClonedFrom() {
	h.Helper()
	dir := filepath.Join(h.TempDir(), "clone")
	gittest.Git(h, h.dir, "", "-c", "http.sslCAInfo="+h.cert, "clone", "--quiet", h.url+"/git/group/Client.git", dir)
	gittest.Git(h, dir, "", "fsck", "--full")
	if got, want := string(gittest.Git(h, dir, "", "for-each-ref", "--format=%(objectname) %(refname:lstrip=-1)", "refs/tags")), h.site.mirrored("group/Client"); got != want || got == "" {
		h.Errorf("cloned are the tags\n%s\nand not\n%s", got, want)
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// certificate is one for localhost that clients can be told of.
type certificate struct {
	cert, key string // files
	pool      *x509.CertPool
}

func newCertificate(t testing.TB) *certificate {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	check(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	check(err)
	dir := t.TempDir()
	c := &certificate{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), x509.NewCertPool()}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	check(os.WriteFile(c.cert, text, 0o666))
	check(os.WriteFile(c.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	c.pool.AppendCertsFromPEM(text)
	return c
}
