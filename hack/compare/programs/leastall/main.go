// Command leastall links what the signatures of the clientset name, and a transport, and does
// nothing with them: no client with this API can be smaller. The types' protobuf
// methods are part of it, since the OpenAPI library calls methods of these names.
package main

import (
	"net/http"
	"os/exec"

	_ "k8s.io/api/admissionregistration/v1"
	_ "k8s.io/api/admissionregistration/v1alpha1"
	_ "k8s.io/api/admissionregistration/v1beta1"
	_ "k8s.io/api/apidiscovery/v2"
	_ "k8s.io/api/apidiscovery/v2beta1"
	_ "k8s.io/api/apiserverinternal/v1alpha1"
	_ "k8s.io/api/apps/v1"
	_ "k8s.io/api/apps/v1beta1"
	_ "k8s.io/api/apps/v1beta2"
	_ "k8s.io/api/authentication/v1"
	_ "k8s.io/api/authentication/v1alpha1"
	_ "k8s.io/api/authentication/v1beta1"
	_ "k8s.io/api/authorization/v1"
	_ "k8s.io/api/authorization/v1beta1"
	_ "k8s.io/api/autoscaling/v1"
	_ "k8s.io/api/autoscaling/v2"
	_ "k8s.io/api/batch/v1"
	_ "k8s.io/api/batch/v1beta1"
	_ "k8s.io/api/certificates/v1"
	_ "k8s.io/api/certificates/v1alpha1"
	_ "k8s.io/api/certificates/v1beta1"
	_ "k8s.io/api/coordination/v1"
	_ "k8s.io/api/coordination/v1alpha2"
	_ "k8s.io/api/coordination/v1beta1"
	corev1 "k8s.io/api/core/v1"
	_ "k8s.io/api/discovery/v1"
	_ "k8s.io/api/discovery/v1beta1"
	_ "k8s.io/api/events/v1"
	_ "k8s.io/api/events/v1beta1"
	_ "k8s.io/api/extensions/v1beta1"
	_ "k8s.io/api/flowcontrol/v1"
	_ "k8s.io/api/flowcontrol/v1beta1"
	_ "k8s.io/api/flowcontrol/v1beta2"
	_ "k8s.io/api/flowcontrol/v1beta3"
	_ "k8s.io/api/networking/v1"
	_ "k8s.io/api/networking/v1beta1"
	_ "k8s.io/api/node/v1"
	_ "k8s.io/api/node/v1alpha1"
	_ "k8s.io/api/node/v1beta1"
	_ "k8s.io/api/policy/v1"
	_ "k8s.io/api/policy/v1beta1"
	_ "k8s.io/api/rbac/v1"
	_ "k8s.io/api/rbac/v1alpha1"
	_ "k8s.io/api/rbac/v1beta1"
	_ "k8s.io/api/resource/v1"
	_ "k8s.io/api/resource/v1alpha3"
	_ "k8s.io/api/resource/v1beta1"
	_ "k8s.io/api/resource/v1beta2"
	_ "k8s.io/api/scheduling/v1"
	_ "k8s.io/api/scheduling/v1alpha2"
	_ "k8s.io/api/scheduling/v1beta1"
	_ "k8s.io/api/storage/v1"
	_ "k8s.io/api/storage/v1alpha1"
	_ "k8s.io/api/storage/v1beta1"
	_ "k8s.io/api/storagemigration/v1beta1"
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
