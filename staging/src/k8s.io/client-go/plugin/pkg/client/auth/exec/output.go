package exec

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/yamlconv"
	"sigs.k8s.io/json"
)

// parseOutput reads what a plugin printed: an ExecCredential of the version
// that it was asked for, as JSON. One that says its version need not say its kind.
// No error tells what is in it but its kind and version.
func parseOutput(stdout []byte, version schema.GroupVersion) (*credentials, error) {
	object, err := toJSON(stdout)
	if err != nil {
		return nil, fmt.Errorf("decoding stdout: %w", err)
	}

	// The first look is at the kind alone: anything else may look like
	// anything.
	var kind metav1.TypeMeta
	if err := json.UnmarshalCaseSensitivePreserveInts(object, &kind); err != nil {
		return nil, fmt.Errorf("decoding stdout: %w", err)
	}
	if kind.Kind != "ExecCredential" && kind.Kind != "" {
		return nil, fmt.Errorf("decoding stdout: the exec plugin returned an object of kind %q and apiVersion %q, not an ExecCredential of %s",
			kind.Kind, kind.APIVersion, version)
	}
	if kind.APIVersion != version.String() {
		return nil, fmt.Errorf("exec plugin is configured to use API version %s, plugin returned version %s", version, kind.APIVersion)
	}
	var got answer
	if err := json.UnmarshalCaseSensitivePreserveInts(object, &got); err != nil {
		if _, ok := errors.AsType[*time.ParseError](err); ok {
			err = errors.New("status.expirationTimestamp is not a time such as 2006-01-02T15:04:05Z")
		}
		return nil, fmt.Errorf("decoding stdout: %w", err)
	}
	if got.Status == nil {
		return nil, errors.New("exec plugin didn't return a status field")
	}
	return newCredentials(got.Status)
}

// toJSON returns stdout as JSON. YAML is understood too, as some plugins print
// it, in programs that read kubeconfig files. What a YAML parser complains of may
// be a secret, so it is not passed on.
func toJSON(stdout []byte) ([]byte, error) {
	stdout = bytes.TrimSpace(stdout)
	switch {
	case len(stdout) == 0:
		return nil, errors.New("the exec plugin printed nothing on its standard output")
	case stdout[0] == '{':
		return stdout, nil
	}
	object, err := yamlconv.ToJSON(stdout)
	if errors.Is(err, yamlconv.ErrNotLinked) {
		return nil, fmt.Errorf("what the exec plugin printed on its standard output is not a JSON object: %w", err)
	}
	if err != nil || len(object) == 0 || object[0] != '{' {
		return nil, errors.New("what the exec plugin printed on its standard output is not a JSON object")
	}
	return object, nil
}

func newCredentials(status *status) (*credentials, error) {
	hasCert, hasKey := status.ClientCertificateData != "", status.ClientKeyData != ""
	switch {
	case hasCert != hasKey:
		return nil, errors.New("exec plugin returned only certificate or key, not both")
	case !hasCert && status.Token == "":
		return nil, errors.New("exec plugin didn't return a token or cert/key pair")
	}

	creds := &credentials{}
	if expiry := status.ExpirationTimestamp; expiry != nil {
		creds.expiry = expiry.Time
	}
	if status.Token != "" {
		if strings.ContainsFunc(status.Token, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return nil, errors.New("exec plugin returned a token with a line break or another control character in it")
		}
		creds.authorization = []string{"Bearer " + status.Token}
	}
	if hasCert {
		cert, err := tls.X509KeyPair([]byte(status.ClientCertificateData), []byte(status.ClientKeyData))
		if err != nil {
			return nil, fmt.Errorf("failed parsing client key/certificate: %w", err)
		}
		creds.cert = &cert
	}
	return creds, nil
}
