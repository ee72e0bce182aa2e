package install_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/pkg/apis/clientauthentication/install"
	v1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"
)

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return scheme
}

// full has every field set.
func full() *clientauthentication.ExecCredential {
	expiry := metav1.NewTime(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC).Local())
	return &clientauthentication.ExecCredential{
		Spec: clientauthentication.ExecCredentialSpec{
			Cluster: &clientauthentication.Cluster{
				Server:                   "https://cluster.example",
				TLSServerName:            "inner.example",
				InsecureSkipTLSVerify:    true,
				CertificateAuthorityData: []byte("ca"),
				ProxyURL:                 "http://proxy.example",
				DisableCompression:       true,
				Config: &runtime.Unknown{
					Raw:         []byte(`{"audience":"production"}`),
					ContentType: runtime.ContentTypeJSON,
				},
			},
			Interactive: true,
		},
		Status: &clientauthentication.ExecCredentialStatus{
			ExpirationTimestamp:   &expiry,
			Token:                 "token",
			ClientCertificateData: "cert",
			ClientKeyData:         "key",
		},
	}
}

// wire is full as plugins see it, less its first fields.
const wire = `"spec":{"cluster":{"server":"https://cluster.example","tls-server-name":"inner.example",` +
	`"insecure-skip-tls-verify":true,"certificate-authority-data":"Y2E=","proxy-url":"http://proxy.example",` +
	`"disable-compression":true,"config":{"audience":"production"}},"interactive":true},` +
	`"status":{"expirationTimestamp":"2030-01-02T03:04:05Z","token":"token",` +
	`"clientCertificateData":"cert","clientKeyData":"key"}}` + "\n"

func TestEveryFieldSurvivesTheWireInEveryVersion(t *testing.T) {
	codecs := serializer.NewCodecFactory(newScheme())
	for _, version := range []schema.GroupVersion{v1.SchemeGroupVersion, v1beta1.SchemeGroupVersion} {
		t.Run(version.Version, func(t *testing.T) {
			codec := codecs.LegacyCodec(version)
			data, err := runtime.Encode(codec, full())
			if err != nil {
				t.Fatal(err)
			}
			want := `{"kind":"ExecCredential","apiVersion":"` + version.String() + `",` + wire
			if diff := cmp.Diff(want, string(data)); diff != "" {
				t.Errorf("on the wire (-want +got):\n%s", diff)
			}

			var got clientauthentication.ExecCredential
			if _, _, err := codecs.UniversalDecoder(clientauthentication.SchemeGroupVersion).Decode(data, nil, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(full(), &got); diff != "" {
				t.Errorf("after decoding (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefaultsOfABareMessage(t *testing.T) {
	codecs := serializer.NewCodecFactory(newScheme())
	for _, version := range []string{"v1", "v1beta1"} {
		obj, gvk, err := codecs.UniversalDeserializer().Decode(
			[]byte(`{"apiVersion":"client.authentication.k8s.io/`+version+`","kind":"ExecCredential"}`), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := (schema.GroupVersionKind{Group: v1.GroupName, Version: version, Kind: "ExecCredential"}); *gvk != want {
			t.Errorf("decoded as %s, want %s", gvk, want)
		}
		got, err := newScheme().ConvertToVersion(obj, clientauthentication.SchemeGroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		if cred := got.(*clientauthentication.ExecCredential); cred.Status != nil || cred.Spec.Cluster != nil || cred.Spec.Interactive {
			t.Errorf("%s: something was made up: %+v", version, cred)
		}
	}
}

func TestStableVersionIsPreferred(t *testing.T) {
	got := newScheme().PrioritizedVersionsForGroup(clientauthentication.GroupName)
	if diff := cmp.Diff([]schema.GroupVersion{v1.SchemeGroupVersion, v1beta1.SchemeGroupVersion}, got); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func TestInstallingTwiceIsHarmless(t *testing.T) {
	install.Install(newScheme())
	scheme := newScheme()
	install.Install(scheme)
}

func TestRemovedAlphaVersionIsUnknown(t *testing.T) {
	if newScheme().IsVersionRegistered(schema.GroupVersion{Group: v1.GroupName, Version: "v1alpha1"}) {
		t.Error("v1alpha1 is still there")
	}
}

func TestNamesAreQualifiedWithTheGroup(t *testing.T) {
	if got := clientauthentication.Kind("ExecCredential").String(); got != "ExecCredential.client.authentication.k8s.io" {
		t.Error(got)
	}
	for _, got := range []schema.GroupResource{clientauthentication.Resource("x"), v1.Resource("x"), v1beta1.Resource("x")} {
		if got.String() != "x.client.authentication.k8s.io" {
			t.Error(got)
		}
	}
}
