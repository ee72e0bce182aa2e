package events

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/internal/sharedscheme"
)

// builtinKinds returns the scheme of package kubernetes/scheme in programs that link
// it: they may have registered kinds of their own there. For others it makes one
// with the same kinds, so that linking this package does not register them all.
func builtinKinds() *runtime.Scheme {
	if sharedscheme.Scheme != nil {
		return sharedscheme.Scheme
	}
	scheme := runtime.NewScheme()
	// It fails only if two packages claim the same kind, which no caller can mend.
	if err := addBuiltinKinds(scheme); err != nil {
		panic(fmt.Sprintf("registering the built-in kinds: %v", err))
	}
	return scheme
}
