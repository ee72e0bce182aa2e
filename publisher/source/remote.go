package source

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"k8s.io/publisher/git"
)

// remote is a source that is fetched. A password in its URL goes to git by the
// environment and a credential helper: arguments are seen by everyone on the
// machine, and git hands URLs on to its own helpers as arguments.
type remote struct {
	url, shown  string
	credentials []git.Setting
	env         []string
}

// scpLike is git's short form of an ssh URL, user@host:path.
var scpLike = regexp.MustCompile(`^[\w.-]+@[\w.-]+:`)

// parseRemote returns nil for a path.
func parseRemote(text string) (*remote, error) {
	if scpLike.MatchString(text) {
		return &remote{url: text, shown: text}, nil
	}
	u, err := url.Parse(text)
	if err != nil && strings.Contains(text, "://") {
		// What the parser says can quote a part of a password.
		return nil, errors.New("the source's URL is malformed; in a user name or password, characters such as %, /, : and @ are to be percent-encoded")
	}
	if err != nil || u.Scheme == "" || u.Host == "" && u.Scheme != "file" {
		return nil, nil
	}
	name := u.User.Username()
	password, secret := u.User.Password()
	bare := *u
	bare.User = nil
	r := &remote{shown: bare.String()}
	if u.Scheme != "http" && u.Scheme != "https" {
		if name != "" {
			bare.User = url.User(name)
		}
		r.url = bare.String()
		return r, nil
	}
	// A user name alone can be a token.
	r.url = bare.String()
	at := "credential." + u.Scheme + "://" + u.Host + "."
	if name != "" {
		r.credentials = append(r.credentials, git.Setting{Key: at + "username", Value: name})
	}
	if secret {
		r.credentials = append(r.credentials,
			git.Setting{Key: at + "helper"}, // instead of the user's own
			git.Setting{Key: at + "helper", Value: `!f() { printf 'username=%s\npassword=%s\n' "$PUBLISHER_USERNAME" "$PUBLISHER_PASSWORD"; }; f`})
		r.env = []string{"PUBLISHER_USERNAME=" + name, "PUBLISHER_PASSWORD=" + password}
	}
	return r, nil
}
