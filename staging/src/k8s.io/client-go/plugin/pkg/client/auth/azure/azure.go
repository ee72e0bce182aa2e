// Package azure says what took the place of the auth provider azure, which was
// removed, to users whose kubeconfig still names it.
package azure

import (
	"errors"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

var errRemoved = errors.New(`the azure auth plugin has been removed.
Please use the https://github.com/Azure/kubelogin kubectl/client-go credential plugin instead.
See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins for further details`)

func init() {
	err := rest.RegisterAuthProviderPlugin("azure", func(string, map[string]string, rest.AuthProviderConfigPersister) (rest.AuthProvider, error) {
		return nil, errRemoved
	})
	if err != nil {
		klog.Fatalf("Registering the auth provider azure: %v", err)
	}
}
