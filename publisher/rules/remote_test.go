package rules_test

import (
	"strings"
	"testing"

	"k8s.io/publisher/rules"
)

// remoteRules has three rules, of which two say something of their own.
const remoteRules = `
rules:
- destination: a
  branches: [{name: master, source: {branch: master, dir: a}}]
- destination: org/b
  remote: REMOTE
  branches: [{name: master, source: {branch: master, dir: b}}]
- destination: c
  remote: none
  branches: [{name: master, source: {branch: master, dir: c}}]
`

func TestRemotes(t *testing.T) {
	t.Parallel()
	text := "remote: https://git.example.org/mirrors/{{.Destination}}.git" + strings.ReplaceAll(remoteRules, "REMOTE", "'ssh://git@example.com:2222/{{.Destination}}'")
	r, err := rules.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	has := func(want map[string]string) {
		t.Helper()
		for destination, url := range want {
			if got := r.RemoteOf(destination); got != url {
				t.Errorf("the remote of %s is %q, want %q", destination, got, url)
			}
		}
	}
	has(map[string]string{"a": "https://git.example.org/mirrors/a.git", "org/b": "ssh://git@example.com:2222/org/b", "c": ""})
	if err := r.SetRemote("file:///srv/{{.Destination}}"); err != nil {
		t.Fatal(err)
	}
	has(map[string]string{"a": "file:///srv/a", "org/b": "file:///srv/org/b", "c": "file:///srv/c"})
	if err := r.SetRemote("file:///srv/all"); err == nil || !strings.Contains(err.Error(), "would have the same") {
		t.Errorf("one remote for all: %v", err)
	}
	if err := r.SetRemote("none"); err != nil {
		t.Fatal(err)
	}
	has(map[string]string{"a": "", "org/b": "", "c": ""})
}

// TestRemotesAreChecked has URLs that are none for a mirror, or have a secret in
// them, which is not told.
func TestRemotesAreChecked(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"http://git.example.org/b.git":                         "schemes https, ssh, git, file",
		"ext::sh -c date":                                      "white space",
		"ext::date":                                            "schemes",
		"git.example.org:b.git":                                "schemes",
		"/srv/b.git":                                           "schemes",
		"file://host/b.git":                                    "absolute path",
		"https://u:s3cr3t@git.example.org/b.git":               "not here",
		"https://s3cr3t@git.example.org/b.git":                 "not here",
		"ssh://git:s3cr3t@git.example.org/b.git":               "not here",
		"https://git.example.org/b.git?token=s3cr3t":           "a query",
		"https://git.example.org/b.git#s3cr3t":                 "a fragment",
		"https://git.example.org/":                             "must have a path",
		"https:///b.git":                                       "must name a host",
		"ssh://-oProxyCommand=date/b.git":                      "a dash in front",
		"https://git.example.org/{{.Branch}}":                  "can't evaluate field Branch",
		"https://git.example.org/{{range .}}x{{end}}":          "range",
		"https://git.example.org/{{printf \"%999d\" 1}}":       "widths",
		"https://git.example.org/{{.Destination":               "unclosed",
		"https://s3cr3t@git.example.org/{{.Destination":        "no template",
		"https://git.example.org/" + strings.Repeat("x", 2000): "2000",
	} {
		_, err := rules.Parse("rules.yaml", []byte(strings.ReplaceAll(remoteRules, "REMOTE", "'"+url+"'")))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "rules[1].remote") {
			t.Errorf("%s: %v, want %q", url, err, says)
		}
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the error tells the secret: %v", url, err)
		}
		all, err := rules.Parse("rules.yaml", []byte("remote: '"+url+"'\n"+strings.ReplaceAll(remoteRules, "REMOTE", "none")))
		if err == nil {
			t.Errorf("%s for all: it is taken, for %s", url, all.RemoteOf("a"))
		} else if strings.Count(err.Error(), "rules.yaml:") != 1 || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s for all: %v", url, err)
		}
	}
	_, err := rules.Parse("rules.yaml", []byte("remote: https://git.example.org/all.git"+strings.ReplaceAll(remoteRules, "REMOTE", "https://git.example.org/all.git")))
	if err == nil || !strings.Contains(err.Error(), "would have the same remote") {
		t.Errorf("one remote for two: %v", err)
	}
}
