// Command floorall is command dynamic with the types of all groups linked: what
// these cost where generic code encodes and decodes them.
package main

import (
	"context"
	"os"
	"runtime"

	_ "k8s.io/api/admissionregistration/v1"
	_ "k8s.io/api/admissionregistration/v1alpha1"
	_ "k8s.io/api/admissionregistration/v1beta1"
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
	_ "k8s.io/api/core/v1"
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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

func main() {
	client, err := dynamic.NewForConfig(&rest.Config{Host: os.Getenv("SERVER")})
	if err != nil {
		panic(err)
	}
	pods, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).
		List(context.Background(), metav1.ListOptions{})
	if err != nil {
		panic(err)
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	println(len(pods.Items), stats.Mallocs, stats.TotalAlloc)
}
