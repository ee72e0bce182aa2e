package exec

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	authenticationv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	authenticationv1beta1 "k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"
)

// TestPluginsAreSentWhatThePublicTypesSay holds the messages against those that
// the versions' own conversions make.
func TestPluginsAreSentWhatThePublicTypesSay(t *testing.T) {
	if v1 != authenticationv1.SchemeGroupVersion || v1beta1 != authenticationv1beta1.SchemeGroupVersion {
		t.Errorf("the versions are %s and %s", v1, v1beta1)
	}
	for name, cluster := range map[string]*clientauthentication.Cluster{
		"no cluster": nil,
		"a server":   {Server: "https://cluster.example"},
		"everything": {
			Server: "https://cluster.example", TLSServerName: "name", InsecureSkipTLSVerify: true,
			CertificateAuthorityData: []byte("PEM"), ProxyURL: "http://proxy.example", DisableCompression: true,
			Config: &runtime.Unknown{Raw: []byte(`{"audience":"production"}`)},
		},
	} {
		for _, interactive := range []bool{true, false} {
			info := &clientauthentication.ExecCredential{Spec: clientauthentication.ExecCredentialSpec{Cluster: cluster, Interactive: interactive}}

			var wantV1 authenticationv1.ExecCredential
			err := authenticationv1.Convert_clientauthentication_ExecCredential_To_v1_ExecCredential(info, &wantV1, nil)
			wantV1.APIVersion, wantV1.Kind = v1.String(), "ExecCredential"
			got, encodeErr := encodeInfo(v1, interactive, cluster)
			equalJSON(t, name, got, &wantV1, err, encodeErr)

			var wantV1beta1 authenticationv1beta1.ExecCredential
			err = authenticationv1beta1.Convert_clientauthentication_ExecCredential_To_v1beta1_ExecCredential(info, &wantV1beta1, nil)
			wantV1beta1.APIVersion, wantV1beta1.Kind = v1beta1.String(), "ExecCredential"
			got, encodeErr = encodeInfo(v1beta1, interactive, cluster)
			equalJSON(t, name, got, &wantV1beta1, err, encodeErr)
		}
	}
}

func equalJSON(t *testing.T, name string, got []byte, object runtime.Object, errs ...error) {
	t.Helper()
	want, err := json.Marshal(object)
	for _, err := range append(errs, err) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if string(got) != string(want) {
		t.Errorf("%s: a plugin is sent\n%s\ninstead of\n%s", name, got, want)
	}
}

// TestAnswersAreReadAsThePublicTypesSay writes an answer with each version's type
// and reads it.
func TestAnswersAreReadAsThePublicTypesSay(t *testing.T) {
	cert, key := newCertificate(t, "jane", time.Hour)
	expiry := metav1.NewTime(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	info := &clientauthentication.ExecCredential{Status: &clientauthentication.ExecCredentialStatus{
		ExpirationTimestamp: &expiry, Token: "abc", ClientCertificateData: cert, ClientKeyData: key,
	}}
	var inV1 authenticationv1.ExecCredential
	var inV1beta1 authenticationv1beta1.ExecCredential
	if err := errors.Join(
		authenticationv1.Convert_clientauthentication_ExecCredential_To_v1_ExecCredential(info, &inV1, nil),
		authenticationv1beta1.Convert_clientauthentication_ExecCredential_To_v1beta1_ExecCredential(info, &inV1beta1, nil),
	); err != nil {
		t.Fatal(err)
	}
	inV1.APIVersion, inV1.Kind = v1.String(), "ExecCredential"
	inV1beta1.APIVersion, inV1beta1.Kind = v1beta1.String(), "ExecCredential"
	for version, object := range map[schema.GroupVersion]runtime.Object{v1: &inV1, v1beta1: &inV1beta1} {
		stdout, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseOutput(stdout, version)
		if err != nil {
			t.Errorf("%s: %v", version, err)
			continue
		}
		if got.authorization[0] != "Bearer abc" || !got.expiry.Equal(expiry.Time) || got.cert == nil {
			t.Errorf("%s: of %s was read %+v", version, stdout, got)
		}
	}
}
