package kubernetes_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// This program links no package that reads YAML of its own accord, such as
// tools/clientcmd: what a typed client reads is the same everywhere.
func TestTypedClientsSpeakYAMLInEveryProgram(t *testing.T) {
	const sent = "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: x\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != sent {
			t.Errorf("the server got %q, %v", body, err)
		}
		for _, header := range []string{"Accept", "Content-Type"} {
			if got := r.Header.Get(header); !strings.HasPrefix(got, "application/yaml") {
				t.Errorf("%s is %q", header, got)
			}
		}
		w.Header().Set("Content-Type", "application/yaml")
		io.WriteString(w, sent+"  uid: u\n")
	}))
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x"}, Data: map[string]string{"a": "b"}}
	got, err := client.CoreV1().ConfigMaps("default").Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.UID != "u" || got.Data["a"] != "b" {
		t.Errorf("got %v", got)
	}
}
