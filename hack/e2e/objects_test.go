package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

type entry struct {
	APIs   []string       `json:"apis"`
	Kind   string         `json:"kind"`
	Object map[string]any `json:"object"`
}

// entries is testdata/objects.yaml by kind.
var entries = sync.OnceValues(func() (map[schema.GroupVersionKind]map[string]any, error) {
	data, err := os.ReadFile("testdata/objects.yaml")
	if err != nil {
		return nil, err
	}
	var list []entry
	if err := yaml.UnmarshalStrict(data, &list); err != nil {
		return nil, err
	}
	byKind := map[schema.GroupVersionKind]map[string]any{}
	for _, e := range list {
		for _, api := range e.APIs {
			gvk := schema.FromAPIVersionAndKind(api, e.Kind)
			if _, twice := byKind[gvk]; twice {
				return nil, fmt.Errorf("testdata/objects.yaml has two entries for %s", gvk)
			}
			byKind[gvk] = e.Object
		}
	}
	return byKind, nil
})

// newManifest is a new object of a kind from its entry, labelled e2e=label.
func newManifest(t *testing.T, gvk schema.GroupVersionKind, namespace, label string) *unstructured.Unstructured {
	t.Helper()
	byKind, err := entries()
	if err != nil {
		t.Fatal(err)
	}
	entry, ok := byKind[gvk]
	if !ok {
		t.Fatalf("testdata/objects.yaml has no entry for %s: add one", gvk)
	}
	data, err := json.Marshal(entry)
	if err != nil {
		t.Fatal(err)
	}
	n := fmt.Sprint(number())
	name := "e2e-" + n
	if metadata, ok := entry["metadata"].(map[string]any); ok {
		name = strings.ReplaceAll(metadata["name"].(string), "$N", n)
	}
	secrets := credentials()
	for placeholder, value := range map[string]string{
		"$NAMESPACE": namespace, "$NAME": name, "$CA": secrets.ca, "$CSR_PEM": secrets.csrPEM, "$CSR_DER": secrets.csrDER,
	} {
		quoted, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.ReplaceAll(data, []byte(`"`+placeholder+`"`), quoted)
	}
	data = bytes.ReplaceAll(data, []byte("$N"), []byte(n))

	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, &u.Object); err != nil {
		t.Fatal(err)
	}
	u.SetGroupVersionKind(gvk)
	u.SetName(name)
	u.SetNamespace(namespace)
	u.SetLabels(map[string]string{"e2e": label})
	return u
}

// credentials are a certificate and a certificate request, as some objects hold.
var credentials = sync.OnceValue(func() (c struct{ ca, csrPEM, csrDER string }) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	named, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: template.Subject}, key)
	if err != nil {
		panic(err)
	}
	empty, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		panic(err)
	}
	c.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	c.csrPEM = base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: named}))
	c.csrDER = base64.StdEncoding.EncodeToString(empty)
	return c
})

// fromManifest fills a typed object, strictly: a field that the type does not have
// fails the test.
func fromManifest(t *testing.T, manifest *unstructured.Unstructured, into runtime.Object) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(manifest.Object, into, true); err != nil {
		t.Fatal(err)
	}
}

// mustContain fails the test unless all that is in manifest is in a typed object
// too. The server may have added to it.
func mustContain(t *testing.T, what string, obj runtime.Object, manifest *unstructured.Unstructured) {
	t.Helper()
	got, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		t.Fatal(err)
	}
	want := manifest.DeepCopy().Object
	delete(want, "apiVersion") // typed objects come without
	delete(want, "kind")
	if missing := notIn("", want, got); missing != "" {
		t.Errorf("%s: %s", what, missing)
	}
}

// notIn says where want is not a part of got, or nothing.
func notIn(path string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		for key, value := range want {
			if diff := notIn(path+"."+key, value, got[key]); diff != "" && !(value == "" && got[key] == nil) {
				return diff
			}
		}
		return ""
	case []any:
		got, _ := got.([]any)
		if len(got) != len(want) {
			return fmt.Sprintf("%s has %d elements, want %d", path, len(got), len(want))
		}
		for i := range want {
			if diff := notIn(fmt.Sprintf("%s[%d]", path, i), want[i], got[i]); diff != "" {
				return diff
			}
		}
		return ""
	}
	if !reflect.DeepEqual(want, got) && fmt.Sprint(want) != fmt.Sprint(got) {
		return fmt.Sprintf("%s is %v, want %v", path, got, want)
	}
	return ""
}
