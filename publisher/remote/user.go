package remote

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"k8s.io/publisher/git"
)

// checkUser returns an error where the user's configuration of git would have it
// replace the beginning of a URL by one with a password: git hands URLs on to its
// helpers as arguments, which everybody on the machine sees.
func checkUser(ctx context.Context) error {
	out, err := git.Command{AsUser: true}.Output(ctx, "config", "--null", "--name-only", "--get-regexp", `^url\..*\.(push)?insteadof$`)
	if failed, ok := errors.AsType[*git.Error](err); ok && failed.Code() == 1 {
		return nil // There are none.
	}
	if err != nil {
		return fmt.Errorf("read the user's configuration of git: %w", err)
	}
	for key := range strings.SplitSeq(string(out), "\x00") {
		base := strings.TrimPrefix(key, "url.")
		if i := strings.LastIndex(base, "."); i >= 0 {
			base = base[:i]
		}
		u, err := url.Parse(base)
		if err != nil {
			continue
		}
		if _, secret := u.User.Password(); secret || u.User != nil && strings.HasPrefix(u.Scheme, "http") {
			return fmt.Errorf("the user's configuration of git puts a user name or a password into URLs, in a url.<base>.insteadOf for %s: "+
				"others could see it in the arguments of git's helpers; remove it, and use a credential helper or --credentials", u.Hostname())
		}
	}
	return nil
}
