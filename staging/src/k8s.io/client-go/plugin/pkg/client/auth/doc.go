// Package auth makes every auth provider there is known to
// [k8s.io/client-go/rest], for programs that read kubeconfigs which name one:
//
//	import _ "k8s.io/client-go/plugin/pkg/client/auth"
//
// The one that works is oidc. Those for azure and gcp were removed, and say
// what to install in their place. Credential plugins (see package exec) need
// no import.
package auth

import (
	_ "k8s.io/client-go/plugin/pkg/client/auth/azure" // registers itself
	_ "k8s.io/client-go/plugin/pkg/client/auth/gcp"   // registers itself
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc"  // registers itself
)
