package auth_test

import (
	"strings"
	"testing"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd/api"
)

func TestRemovedProvidersSayWhatToInstall(t *testing.T) {
	for name, want := range map[string]string{"gcp": "gke-gcloud-auth-plugin", "azure": "https://github.com/Azure/kubelogin"} {
		_, err := rest.GetAuthProvider("", &api.AuthProviderConfig{Name: name}, nil)
		if err == nil || !strings.Contains(err.Error(), "the "+name+" auth plugin has been removed") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestOIDCIsRegistered(t *testing.T) {
	p, err := rest.GetAuthProvider("", &api.AuthProviderConfig{Name: "oidc", Config: map[string]string{
		"idp-issuer-url": "https://issuer.example",
		"client-id":      "kubernetes",
	}}, nil)
	if err != nil || p == nil {
		t.Errorf("got %v and error %v", p, err)
	}
}
