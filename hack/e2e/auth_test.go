package e2e

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

func TestTokenAndCertificateAuthenticate(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	mustBeUser(t, configFrom(t, cp.AdminKubeconfig), "admin")
	mustBeUser(t, configFrom(t, cp.AdminCertKubeconfig), "admin")
	mustBeUser(t, configFrom(t, cp.LimitedKubeconfig), "limited")
	_, err := userOf(t, anonymous(adminConfig(t)))
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `User "system:anonymous"`) {
		t.Errorf("without credentials: %v", err)
	}
}

func TestWrongTokenIsUnauthorized(t *testing.T) {
	t.Parallel()
	config := anonymous(adminConfig(t))
	config.BearerToken = "nobody's"
	if _, err := userOf(t, config); !apierrors.IsUnauthorized(err) {
		t.Errorf("%v, want an Unauthorized error", err)
	}
}

// TestTokenFileIsReadAgain by the same client, within a minute: tokens of pods are
// replaced long before they expire. This is the suite's longest test.
func TestTokenFileIsReadAgain(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "nobody's\n")
	config := anonymous(adminConfig(t))
	config.BearerTokenFile = file
	maps := clientset(t, config).CoreV1().ConfigMaps("default")
	if _, err := maps.List(deadline(t), metav1.ListOptions{}); !apierrors.IsUnauthorized(err) {
		t.Fatalf("%v, want an Unauthorized error", err)
	}
	write(t, file, cp.Token("limited")+"\n")
	eventually(t, "the file's new token", func(ctx context.Context) error {
		_, err := maps.List(ctx, metav1.ListOptions{})
		return err
	})
}

// within calls try until it succeeds, so many times at most.
func within(times int, try func() error) (err error) {
	for range times {
		if err = try(); err == nil {
			break
		}
	}
	return err
}

func write(t *testing.T, file, content string) {
	t.Helper()
	// As kubelets do it: the new content is there at once, or not at all.
	if err := os.WriteFile(file+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// TestClientCertificateIsReadAgainAfterItChanges: the same client is another user
// then. TestMain has set how often a client looks.
func TestClientCertificateIsReadAgainAfterItChanges(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	// A client looks at its files for as long as the process lives, and complains when
	// they go away. So they stay until all tests are done.
	dir, err := os.MkdirTemp(cp.Dir, "certificate-")
	if err != nil {
		t.Fatal(err)
	}
	config := anonymous(adminConfig(t))
	config.CertFile, config.KeyFile = filepath.Join(dir, "crt"), filepath.Join(dir, "key")
	issue := func(user string) {
		t.Helper()
		cert, key, err := cp.ClientCertificate(user, nil, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		write(t, config.KeyFile, string(key))
		write(t, config.CertFile, string(cert))
	}
	issue("first")
	mustBeUser(t, config, "first")
	issue("second")
	eventually(t, "the second certificate", func(context.Context) error {
		user, err := userOf(t, config)
		if err == nil && user.Username != "second" {
			err = fmt.Errorf("authenticated as %q", user.Username)
		}
		return err
	})
}

func TestExpiredClientCertificateIsUnauthorized(t *testing.T) {
	t.Parallel()
	cp := ownCluster(t)
	cert, key, err := cp.ClientCertificate("late", nil, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	config := anonymous(adminConfig(t))
	config.CertData, config.KeyData = cert, key
	if _, err := userOf(t, config); !apierrors.IsUnauthorized(err) {
		t.Errorf("%v, want an Unauthorized error", err)
	}
}

func TestImpersonation(t *testing.T) {
	t.Parallel()
	config := adminConfig(t)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "jané@example.com",
		UID:      "1234",
		Groups:   []string{"developers", "testers"},
		Extra:    map[string][]string{"example.com/Some key%": {"a", "b"}},
	}
	user, err := userOf(t, config)
	if err != nil {
		t.Fatal(err)
	}
	if user.Username != config.Impersonate.UserName || user.UID != "1234" {
		t.Errorf("user %q, UID %q", user.Username, user.UID)
	}
	if !slices.Contains(user.Groups, "developers") || !slices.Contains(user.Groups, "testers") {
		t.Errorf("groups %v", user.Groups)
	}
	if got := user.Extra["example.com/some key%"]; !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("extra %v", user.Extra)
	}
	config.Impersonate = rest.ImpersonationConfig{Groups: []string{"developers"}}
	if _, err := userOf(t, config); err == nil {
		t.Error("groups without a user are impersonated")
	}
}

func TestRefusalTellsWhoMayNotDoWhat(t *testing.T) {
	t.Parallel()
	limited := clientset(t, configFrom(t, ownCluster(t).LimitedKubeconfig)).CoreV1()
	if _, err := limited.ConfigMaps("default").List(deadline(t), metav1.ListOptions{}); err != nil {
		t.Errorf("the limited user may list config maps: %v", err)
	}
	_, err := limited.Secrets("default").List(deadline(t), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Fatalf("%v, want a Forbidden error", err)
	}
	const want = `secrets is forbidden: User "limited" cannot list resource "secrets" in API group "" in the namespace "default"`
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%q, want %q in it", err, want)
	}
	if details := err.(apierrors.APIStatus).Status().Details; details == nil || details.Kind != "secrets" {
		t.Errorf("details %v", details)
	}
	if _, err := limited.Secrets("default").Watch(deadline(t), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("watch: %v, want a Forbidden error", err)
	}
}

func TestServerOfAnUnknownAuthorityIsRefused(t *testing.T) {
	t.Parallel()
	config := adminConfig(t)
	config.TLSClientConfig = rest.TLSClientConfig{CAData: []byte(credentials().ca)}
	_, err := userOf(t, config)
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("%v, want an x509.UnknownAuthorityError", err)
	}
	config.TLSClientConfig = rest.TLSClientConfig{Insecure: true}
	if _, err := userOf(t, config); err != nil {
		t.Errorf("told not to check: %v", err)
	}
}

func TestServerOfAnotherNameIsRefused(t *testing.T) {
	t.Parallel()
	ownCluster(t)
	config := adminConfig(t)
	config.ServerName = "example.com"
	_, err := userOf(t, config)
	var hostname x509.HostnameError
	if !errors.As(err, &hostname) {
		t.Errorf("%v, want an x509.HostnameError", err)
	}
	config.ServerName = "kubernetes.default.svc"
	if _, err := userOf(t, config); err != nil {
		t.Errorf("a name that the certificate has: %v", err)
	}
}

// TestConfigurationInsideACluster: what a pod finds, put together as there.
func TestConfigurationInsideACluster(t *testing.T) {
	cp := ownCluster(t)
	u, err := url.Parse(cp.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBERNETES_SERVICE_PORT", "")
	if _, err := rest.InClusterConfig(); !errors.Is(err, rest.ErrNotInCluster) {
		t.Errorf("outside of a cluster: %v, want ErrNotInCluster", err)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", u.Hostname())
	t.Setenv("KUBERNETES_SERVICE_PORT", u.Port())
	if _, err := os.Stat("/var/run/secrets/kubernetes.io/serviceaccount/token"); os.IsNotExist(err) {
		if _, err := rest.InClusterConfig(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("without a token: %v, want one that says which file is missing", err)
		}
	}

	// The token is that of a service account, and its file is what is read.
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), cp.Token("limited"))
	config := &rest.Config{
		Host:            "https://" + net.JoinHostPort(u.Hostname(), u.Port()),
		TLSClientConfig: rest.TLSClientConfig{CAFile: cp.CAFile},
		BearerToken:     "as it was at the start",
		BearerTokenFile: filepath.Join(dir, "token"),
	}
	mustBeUser(t, config, "limited")
}
