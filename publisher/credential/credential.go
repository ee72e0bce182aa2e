// Package credential says how the servers of remotes are reached: with which token,
// key or helper, and by which certificate or host key a server is known.
//
// # The file
//
// A credentials file is a YAML list, an entry for each server, or part of one:
//
//	# credentials.yaml
//	- url: https://git.example.org/
//	  token-file: /run/secrets/token
//	- url: https://gitlab.example.com/mirrors
//	  token-file: /run/secrets/gitlab
//	  username: mirror-bot
//	- url: https://api.example.net/git
//	  token-file: /run/secrets/bearer
//	  scheme: bearer
//	- url: https://github.com/kubernetes
//	  github-app:
//	    id: "12345"
//	    installation: "67890"
//	    key-file: /run/secrets/app.pem
//	- url: https://git.example.com/
//	  helper: libsecret
//	  ca-file: /etc/ssl/own-ca.pem
//	- url: ssh://git@git.example.org/
//	  key-file: /run/secrets/id_ed25519
//	  known-hosts-file: /run/secrets/known_hosts
//
// An entry is for all repositories at and below its url: the scheme, the host with its
// port, and the user of ssh are the same, and the path begins with the entry's
// elements. Of several that fit, the one with the most elements counts. What no entry
// fits is reached as the user's own configuration of git says.
//
//   - token-file has a token, or a password, and nothing else. It is sent as the
//     password of username, x-access-token where there is none; with the scheme
//     bearer, as a token of its own.
//   - helper is a credential helper of git, as credential.helper has it, in the place
//     of all that the user has; see gitcredentials(7).
//   - github-app gets tokens for an installation of a GitHub App: its id, or client
//     ID; the installation's number; the file of a private key in PEM; and api, which
//     is https://api.github.com unless said otherwise.
//   - ca-file has the certificates, in PEM, by which the server is known.
//   - key-file is a private key of ssh without a passphrase, and known-hosts-file has
//     the server's key: no other server is spoken to. Both are to be given.
//
// # Secrets
//
// Files are read each time that a server is reached, so that a token may be replaced
// at any time. What is secret goes to git by its environment, which nobody but the
// same user and root can read: not by arguments, which everybody sees, not by URLs,
// which get into messages, and not by files. No error of this package quotes what is
// in a file, and [Access.Redact] keeps servers from repeating it.
package credential

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"k8s.io/publisher/git"
)

// Set is what is known of servers. A nil one knows nothing. It is safe for concurrent
// use.
type Set struct{ entries []*Entry }

// Entry is how some repositories are reached; the package's comment says what its
// fields mean.
type Entry struct {
	URL        string     `yaml:"url"`
	TokenFile  string     `yaml:"token-file"`
	Username   string     `yaml:"username"`
	Scheme     string     `yaml:"scheme"`
	Helper     string     `yaml:"helper"`
	GitHubApp  *GitHubApp `yaml:"github-app"`
	CAFile     string     `yaml:"ca-file"`
	KeyFile    string     `yaml:"key-file"`
	KnownHosts string     `yaml:"known-hosts-file"`

	at *url.URL
}

// TokenUser is the user name that goes with a token where none is given. Servers that
// know tokens do not look at it, and GitHub wants this one for those of apps.
const TokenUser = "x-access-token"

// Load reads a credentials file. Paths in it are relative to its folder.
func Load(file string) (*Set, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, fmt.Errorf("load credentials: %w", err)
	}
	var entries []Entry
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&entries); err != nil && !errors.Is(err, io.EOF) {
		// What the parser quotes may be what somebody put there in the place of a file's name.
		return nil, fmt.Errorf("load credentials: %s is not a list of entries as the package k8s.io/publisher/credential has them: %s", file, withoutValues(err))
	}
	for i := range entries {
		e := &entries[i]
		paths := []*string{&e.TokenFile, &e.CAFile, &e.KeyFile, &e.KnownHosts}
		if e.GitHubApp != nil {
			paths = append(paths, &e.GitHubApp.KeyFile)
		}
		for _, path := range paths {
			if *path != "" && !filepath.IsAbs(*path) {
				*path = filepath.Join(filepath.Dir(file), *path)
			}
		}
	}
	set, err := New(entries...)
	if err != nil {
		return nil, fmt.Errorf("load credentials: %s: %w", file, err)
	}
	return set, nil
}

// withoutValues is what a parser says, without what it quotes.
func withoutValues(err error) string {
	text := err.Error()
	for {
		before, rest, ok := strings.Cut(text, "`")
		if !ok {
			return text
		}
		_, after, _ := strings.Cut(rest, "`")
		text = before + "…" + after
	}
}

// New makes a set of entries, which must be complete.
func New(entries ...Entry) (*Set, error) {
	s := new(Set)
	for i := range entries {
		e := entries[i]
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		for _, other := range s.entries {
			if other.at.String() == e.at.String() {
				return nil, fmt.Errorf("entry %d: %s has an entry already", i+1, e.at)
			}
		}
		s.entries = append(s.entries, &e)
	}
	return s, nil
}

func (e *Entry) check() error {
	u, err := url.Parse(e.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "ssh" || u.Hostname() == "" {
		return errors.New("url must be one with the scheme https or ssh, and a host")
	}
	if _, secret := u.User.Password(); secret || u.User != nil && u.Scheme == "https" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("url must have no password, no query, and, but for ssh, no user name")
	}
	e.at = u
	var ways []string
	for way, given := range map[string]bool{"token-file": e.TokenFile != "", "helper": e.Helper != "", "github-app": e.GitHubApp != nil, "key-file": e.KeyFile != ""} {
		if given {
			ways = append(ways, way)
		}
	}
	switch {
	case len(ways) > 1:
		return fmt.Errorf("%s has more than one of token-file, helper, github-app and key-file", e.at)
	case u.Scheme == "ssh" && (e.KeyFile == "" || e.KnownHosts == ""):
		return fmt.Errorf("%s needs key-file and known-hosts-file", e.at)
	case u.Scheme == "ssh" && (e.CAFile != "" || e.Username != "" || e.Scheme != ""):
		return fmt.Errorf("%s is reached by ssh, which knows no ca-file, username or scheme", e.at)
	case u.Scheme == "https" && (e.KeyFile != "" || e.KnownHosts != ""):
		return fmt.Errorf("%s is not reached by ssh, and has no use for key-file and known-hosts-file", e.at)
	case len(ways) == 0 && e.CAFile == "":
		return fmt.Errorf("%s has nothing to reach it with: give token-file, helper or github-app", e.at)
	case e.Scheme != "" && e.Scheme != "basic" && e.Scheme != "bearer":
		return fmt.Errorf("%s has a scheme that is neither basic nor bearer", e.at)
	case e.GitHubApp != nil:
		return e.GitHubApp.check()
	}
	return nil
}

// ports are those that a URL need not name.
var ports = map[string]string{"https": "443", "ssh": "22"}

// fits reports whether an entry is for a URL, and how many of its elements say so.
func (e *Entry) fits(u *url.URL) (elements int, ok bool) {
	port := func(u *url.URL) string {
		if p := u.Port(); p != "" {
			return p
		}
		return ports[u.Scheme]
	}
	if e.at.Scheme != u.Scheme || !strings.EqualFold(e.at.Hostname(), u.Hostname()) || port(e.at) != port(u) {
		return 0, false
	}
	if e.at.User != nil && e.at.User.Username() != u.User.Username() {
		return 0, false
	}
	prefix := strings.Trim(e.at.Path, "/")
	if prefix == "" {
		return 0, true
	}
	path := strings.Trim(u.Path, "/")
	return strings.Count(prefix, "/") + 1, path == prefix || path == prefix+".git" || strings.HasPrefix(path, prefix+"/")
}

// entry returns the one for a URL, or nil.
func (s *Set) entry(text string) *Entry {
	u, err := url.Parse(text)
	if s == nil || err != nil {
		return nil
	}
	var best *Entry
	most := -1
	for _, e := range s.entries {
		if n, ok := e.fits(u); ok && n > most {
			best, most = e, n
		}
	}
	return best
}

// For returns what git is to be given for a repository, now. The error may be an
// [*UnavailableError].
func (s *Set) For(ctx context.Context, repository string) (Access, error) {
	e := s.entry(repository)
	if e == nil {
		return Access{}, nil
	}
	access, err := e.access(ctx)
	if err != nil {
		return Access{}, fmt.Errorf("credentials for %s: %w", e.at, err)
	}
	return access, nil
}

// Forget has the next [Set.For] of a repository get a new token, where tokens are got
// and kept.
func (s *Set) Forget(repository string) {
	if e := s.entry(repository); e != nil && e.GitHubApp != nil {
		e.GitHubApp.forget()
	}
}

func (e *Entry) access(ctx context.Context) (Access, error) {
	var a Access
	if e.CAFile != "" {
		a.Env = append(a.Env, "GIT_SSL_CAINFO="+e.CAFile)
	}
	switch {
	case e.KeyFile != "":
		if _, err := os.Stat(e.KeyFile); err != nil {
			return a, err
		}
		if _, err := os.Stat(e.KnownHosts); err != nil {
			return a, err
		}
		a.Env = append(a.Env, "GIT_SSH_COMMAND="+sshCommand(e.KeyFile, e.KnownHosts), "GIT_SSH_VARIANT=ssh", "SSH_ASKPASS=", "GIT_ASKPASS=")
	case e.Helper != "":
		a.helper(e.host(), e.Helper)
	case e.TokenFile != "":
		token, err := readToken(e.TokenFile)
		if err != nil {
			return a, err
		}
		a.token(e, token)
	case e.GitHubApp != nil:
		token, err := e.GitHubApp.token(ctx)
		if err != nil {
			return a, err
		}
		a.token(e, token)
	}
	return a, nil
}

// host is the server, as keys of git's configuration have it.
func (e *Entry) host() string { return e.at.Scheme + "://" + e.at.Host }

// token adds a token.
func (a *Access) token(e *Entry, token string) {
	user := e.Username
	if user == "" {
		user = TokenUser
	}
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + token))
	a.secrets = append(a.secrets, token, url.QueryEscape(token), url.PathEscape(token), basic)
	authorization := "Basic " + basic
	if e.Scheme == "bearer" {
		authorization = "Bearer " + token
	}
	// It goes along at once, which saves a request that is refused each time. Where it
	// does not do, nobody else is to be asked.
	a.helper(e.host(), "")
	a.Settings = append(a.Settings, git.Setting{Key: "http." + e.at.String() + ".extraHeader", Value: "Authorization: " + authorization})
}

// helper has git ask a helper, or nobody, in the place of all that the user has.
func (a *Access) helper(host, helper string) {
	a.Env = append(a.Env, "SSH_ASKPASS=", "GIT_ASKPASS=")
	a.Settings = append(a.Settings, git.Setting{Key: "credential." + host + ".helper"})
	if helper != "" {
		a.Settings = append(a.Settings, git.Setting{Key: "credential." + host + ".helper", Value: helper})
	}
}

// sshCommand is for the shell. Nothing but the key lets us in, and no server but the
// one that is known is spoken to.
func sshCommand(key, knownHosts string) string {
	options := []string{
		"IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes", "PreferredAuthentications=publickey",
		"StrictHostKeyChecking=yes", "UserKnownHostsFile=" + sshQuote(knownHosts), "GlobalKnownHostsFile=none", "UpdateHostKeys=no",
		"ConnectTimeout=30", "ServerAliveInterval=15", "ServerAliveCountMax=4",
	}
	var b strings.Builder
	b.WriteString("ssh -F none -i " + shellQuote(key))
	for _, o := range options {
		b.WriteString(" -o " + shellQuote(o))
	}
	return b.String()
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// sshQuote keeps ssh from taking a file's name for several, and for a pattern.
func sshQuote(text string) string { return `"` + strings.ReplaceAll(text, "%", "%%") + `"` }

// mostFile is the most bytes that a file of this package has.
const mostFile = 1 << 20

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err == nil && len(data) > mostFile {
		err = fmt.Errorf("%s has more than %d bytes", name, mostFile)
	}
	return data, err
}

// readToken reads a file that has nothing but a token.
func readToken(name string) (string, error) {
	data, err := readFile(name)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	switch {
	case token == "":
		return "", fmt.Errorf("%s is empty and should have a token", name)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return "", fmt.Errorf("%s should have a token and nothing else: there is white space or a control character in it", name)
	}
	return token, nil
}
