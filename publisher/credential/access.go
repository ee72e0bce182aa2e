package credential

import (
	"slices"
	"strings"

	"k8s.io/publisher/git"
)

// Access is what git is given to reach one server, at one moment: tokens rotate, so
// it is asked for anew each time. The zero value leaves all to the user's
// configuration of git.
type Access struct {
	Settings []git.Setting
	Env      []string
	secrets  []string
}

// Redact takes the secrets out of a text. None should be in it: git does not print
// them, but servers say what they like.
func (a Access) Redact(text string) string {
	for _, secret := range a.secrets {
		text = strings.ReplaceAll(text, secret, "xxxxx")
	}
	return text
}

// Same reports whether two are the same: a server that refused one refuses the other.
func (a Access) Same(b Access) bool {
	return slices.Equal(a.secrets, b.secrets) && slices.Equal(a.Env, b.Env) && slices.Equal(a.Settings, b.Settings)
}
