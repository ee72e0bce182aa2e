package discovery

import (
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ErrGroupDiscoveryFailed says that the answer is incomplete, and why.
type ErrGroupDiscoveryFailed struct {
	// Groups holds what went wrong with each version that is missing.
	Groups map[schema.GroupVersion]error
}

// Error lists the versions in alphabetical order.
func (e *ErrGroupDiscoveryFailed) Error() string {
	parts := make([]string, 0, len(e.Groups))
	for gv, err := range e.Groups {
		parts = append(parts, gv.String()+": "+err.Error())
	}
	slices.Sort(parts)
	return "unable to retrieve the complete list of server APIs: " + strings.Join(parts, ", ")
}

// Is reports whether target is an ErrGroupDiscoveryFailed, about whichever
// versions.
func (e *ErrGroupDiscoveryFailed) Is(target error) bool {
	_, same := target.(*ErrGroupDiscoveryFailed)
	return same
}

// IsGroupDiscoveryFailedError reports whether err is, or wraps, an
// ErrGroupDiscoveryFailed: what came with it is good, but not all there is.
func IsGroupDiscoveryFailedError(err error) bool {
	_, failed := GroupDiscoveryFailedErrorGroups(err)
	return failed
}

// GroupDiscoveryFailedErrorGroups returns the versions that are missing, if
// err is or wraps an ErrGroupDiscoveryFailed.
func GroupDiscoveryFailedErrorGroups(err error) (map[schema.GroupVersion]error, bool) {
	var failed *ErrGroupDiscoveryFailed
	if !errors.As(err, &failed) {
		return nil, false
	}
	return failed.Groups, true
}

// StaleGroupVersionError says that the server itself could not learn what is
// in a version, because the program that serves it does not answer.
type StaleGroupVersionError struct {
	gv schema.GroupVersion
}

// Error names the version.
func (s StaleGroupVersionError) Error() string {
	return "stale GroupVersion discovery: " + s.gv.String()
}
