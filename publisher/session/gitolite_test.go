package session_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/publisher/gitserver"
)

// TestGitoliteIsAServerLikeOthers pushes to a server of another make, with a
// credentials file, proves what is there, and is refused by a rule of the server.
func TestGitoliteIsAServerLikeOthers(t *testing.T) {
	t.Parallel()
	r, server := gitserver.Gitolite(t)
	w := small(t, releaseRules)
	w.write(w.dir+"/credentials.yaml", fmt.Sprintf("- url: %s\n  key-file: %s\n  known-hosts-file: %s\n", strings.TrimSuffix(server.Template, "/mirrors/{{.Destination}}"), server.Key, server.KnownHosts))
	s := &served{world: w, Repositories: r, template: server.Template, flags: []string{"--credentials", w.dir + "/credentials.yaml"}}
	s.push()
	s.commit(commit{files: files{"staging/a/a.go": "package a\n\nconst A = 5\n"}})
	s.tag("v1.21.0")
	s.push()
	verify := s.publisher("verify", append([]string{"--remote=" + s.template}, s.flags...)...)
	if out, err := verify.CombinedOutput(); err != nil || strings.Count(string(out), "proven") != 3 {
		t.Errorf("verify --remote: %v\n%s", err, out)
	}
	before := s.all()
	s.tag("v1.99.0")
	s.failPush("DENIED", "refs/tags/v0.99.0", "the server rejected it")
	if after := s.all(); after != before {
		t.Errorf("the server said no, and had\n%s\nand has\n%s", before, after)
	}
}
