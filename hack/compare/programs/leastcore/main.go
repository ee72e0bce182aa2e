// Command leastcore links what the signatures of a client of the core group name, and a transport, and does
// nothing with them: no client with this API can be smaller. The types' protobuf
// methods are part of it, since the OpenAPI library calls methods of these names.
package main

import (
	"net/http"
	"os/exec"

	_ "k8s.io/api/apidiscovery/v2"
	_ "k8s.io/api/apidiscovery/v2beta1"
	_ "k8s.io/api/authentication/v1"
	_ "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	_ "k8s.io/api/policy/v1"
	_ "k8s.io/api/policy/v1beta1"
	_ "k8s.io/apimachinery/pkg/util/managedfields" // of an OpenAPI client's
)

// message is what all types have that can be sent as protobuf.
type message interface {
	Marshal() ([]byte, error)
	MarshalTo([]byte) (int, error)
	MarshalToSizedBuffer([]byte) (int, error)
	Reset()
	Size() int
	String() string
	Unmarshal([]byte) error
}

func main() {
	var m message = &corev1.Pod{}
	m.Reset()
	data, err := m.Marshal()
	println(len(data), err, m.Size(), m.String(), m.Unmarshal(data))
	println(m.MarshalTo(data))
	println(m.MarshalToSizedBuffer(data))
	println(exec.Command("true").Run())
	println(http.Get("http://127.0.0.1"))
}
