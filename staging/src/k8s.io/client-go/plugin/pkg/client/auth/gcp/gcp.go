// Package gcp says what took the place of the auth provider gcp, which was
// removed, to users whose kubeconfig still names it.
package gcp

import (
	"errors"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

var errRemoved = errors.New(`the gcp auth plugin has been removed.
Please use the "gke-gcloud-auth-plugin" kubectl/client-go credential plugin instead.
See https://cloud.google.com/blog/products/containers-kubernetes/kubectl-auth-changes-in-gke for further details`)

func init() {
	err := rest.RegisterAuthProviderPlugin("gcp", func(string, map[string]string, rest.AuthProviderConfigPersister) (rest.AuthProvider, error) {
		return nil, errRemoved
	})
	if err != nil {
		klog.Fatalf("Registering the auth provider gcp: %v", err)
	}
}
