package clientcmd_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// manyContexts returns a kubeconfig as kubectl writes it, with certificates and
// keys of usual size.
func manyContexts(n int) []byte {
	data := strings.Repeat("QUJD", 370)
	var clusters, contexts, users strings.Builder
	for i := range n {
		fmt.Fprintf(&clusters, "- cluster:\n    certificate-authority-data: %s\n    server: https://10.0.0.%d:6443\n  name: cluster-%d\n", data, i%256, i)
		fmt.Fprintf(&contexts, "- context:\n    cluster: cluster-%[1]d\n    user: user-%[1]d\n  name: context-%[1]d\n", i)
		fmt.Fprintf(&users, "- name: user-%d\n  user:\n    client-certificate-data: %[2]s\n    client-key-data: %[2]s\n", i, data)
	}
	return []byte("apiVersion: v1\nclusters:\n" + clusters.String() + "contexts:\n" + contexts.String() +
		"current-context: context-0\nkind: Config\npreferences: {}\nusers:\n" + users.String())
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("contexts=%d", n), func(b *testing.B) {
			data := manyContexts(n)
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := clientcmd.Load(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	config, err := clientcmd.Load(manyContexts(1000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := clientcmd.Write(*config); err != nil {
			b.Fatal(err)
		}
	}
}
