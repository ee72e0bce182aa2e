package rules

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// NoRemote is in the place of a remote's URL for a mirror that stays on this machine.
const NoRemote = "none"

// remoteSchemes are the protocols of git that a remote may be reached by. Plain HTTP
// is not among them: whoever is on the way could read the credentials.
var remoteSchemes = []string{"https", "ssh", "git", "file"}

// maxRemote is the most bytes that a remote's URL may have.
const maxRemote = 2000

// remoteFields are what a template for URLs sees.
type remoteFields struct {
	// Destination is the rule's.
	Destination string
}

// RemoteOf returns the URL of the repository that a destination is pushed to: the
// rule's own, or what the template for all makes. It is empty where there is none.
func (r *Rules) RemoteOf(destination string) string {
	own := ""
	if rule := r.Rule(destination); rule != nil {
		own = rule.Remote
	}
	text := cmp.Or(own, r.Remote)
	if text == "" || text == NoRemote {
		return ""
	}
	url, err := remoteURL(text, destination)
	if err != nil {
		return "" // It was tried before.
	}
	return url
}

// SetRemote puts a template in the place of all that the file says of remotes,
// [NoRemote] for none.
func (r *Rules) SetRemote(text string) error {
	set := *r
	set.Remote, set.Rules = text, slices.Clone(r.Rules)
	seen := make(map[string]string)
	for i := range set.Rules {
		rule := &set.Rules[i]
		rule.Remote = ""
		if rule.Skipped || text == NoRemote {
			continue
		}
		url, err := remoteURL(text, rule.Destination)
		if err != nil {
			return fmt.Errorf("remote %s: %w", shownRemote(text), err)
		}
		if other, ok := seen[url]; ok {
			return fmt.Errorf("remote %s: %s and %s would have the same", shownRemote(text), other, rule.Destination)
		}
		seen[url] = rule.Destination
	}
	r.Remote, r.Rules = set.Remote, set.Rules
	return nil
}

// mayHide reports whether a password or a token may be in a text, which is then not
// repeated.
func mayHide(text string) bool { return strings.ContainsAny(text, "@?#") }

// shownRemote is a template as messages have it.
func shownRemote(text string) string {
	if mayHide(text) {
		return "template"
	}
	return fmt.Sprintf("%q", clip(text))
}

// remoteURL returns the URL that a template makes for a destination.
func remoteURL(text, destination string) (string, error) {
	if len(text) > maxRemote {
		return "", fmt.Errorf("must have no more than %d characters", maxRemote)
	}
	made, err := template.New("remote").Funcs(boundedFuncs).Parse(text)
	if err == nil {
		err = checkSteps(made.Root)
	}
	b := boundedBuilder{most: maxRemote}
	if err == nil {
		err = made.Execute(&b, remoteFields{destination})
	}
	if err != nil {
		if mayHide(text) {
			return "", errors.New("is no template that can be used") // The error quotes it.
		}
		return "", err
	}
	return b.String(), checkRemote(b.String())
}

// checkRemote returns an error, without any secret, where a text is not the URL of a
// repository.
func checkRemote(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("must be a URL such as https://git.example.org/mirrors/client-go.git") // The parser's error quotes it.
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return errors.New("must not have white space or control characters")
	case !slices.Contains(remoteSchemes, u.Scheme):
		return fmt.Errorf("must be a URL with one of the schemes %s", strings.Join(remoteSchemes, ", "))
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("must not have a query or a fragment")
	case u.User != nil && u.Scheme != "ssh":
		return errors.New("must not have a user name or a password: credentials are given to the publisher, not here")
	case u.Scheme == "file" && (u.Host != "" || !strings.HasPrefix(u.Path, "/")):
		return errors.New("must have an absolute path: file:///srv/git/client-go.git")
	case u.Scheme != "file" && u.Hostname() == "":
		return errors.New("must name a host")
	case strings.HasPrefix(u.Hostname(), "-") || u.User != nil && strings.HasPrefix(u.User.Username(), "-"):
		return errors.New("must not have a dash in front of the host or the user")
	case strings.Trim(u.Path, "/") == "":
		return errors.New("must have a path")
	}
	if _, secret := u.User.Password(); secret {
		return errors.New("must not have a password: credentials are given to the publisher, not here")
	}
	return nil
}

// remotes checks the URLs of all rules, once the destinations are known to be good.
func (v *validator) remotes() {
	seen := make(map[string]string)
	for i := range v.rules.Rules {
		rule := &v.rules.Rules[i]
		at, text := RulePath(i).Child("remote"), rule.Remote
		if text == "" {
			at, text = field.NewPath("remote"), v.rules.Remote
		}
		if text == "" || text == NoRemote || destination(at, rule.Destination) != nil {
			continue
		}
		url, err := remoteURL(text, rule.Destination)
		if err != nil {
			value := any(text)
			if mayHide(text) {
				value = field.OmitValueType{}
			}
			v.add(field.Invalid(at, value, err.Error()))
			if rule.Remote == "" {
				return // It would be said of every rule.
			}
			continue
		}
		if other, ok := seen[url]; ok && !rule.Skipped {
			v.add(field.Invalid(at, field.OmitValueType{}, fmt.Sprintf("%s and %s would have the same remote; a mirror needs one of its own", other, rule.Destination)))
		} else if !rule.Skipped {
			seen[url] = rule.Destination
		}
	}
}
