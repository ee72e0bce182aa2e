// Package kubernetes has the clientset: one client for all built-in resources of
// a Kubernetes API server.
//
// Make a clientset from a [rest.Config], which comes from a kubeconfig file
// (package tools/clientcmd) or from the pod that the program runs in
// ([rest.InClusterConfig]). Then go by group and version, resource and verb:
//
//	clientset, err := kubernetes.NewForConfig(config)
//	if err != nil {
//		return err
//	}
//	pods, err := clientset.CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
//
// Errors that the server answers with are told apart by the functions of
// k8s.io/apimachinery/pkg/api/errors, such as IsNotFound and IsConflict.
//
// # What a program pays for
//
// A group's client is built when its method is first called, and the linker
// drops the clients that no code of the program asks for. What stays of the
// others are the types of k8s.io/api, which register themselves on import. A
// program that needs one or two groups is smaller still if it imports their
// clients, such as kubernetes/typed/core/v1, in place of this package.
//
// # For tests
//
// Write functions that take [Interface] or, better, the interface of one
// resource. Package kubernetes/fake implements them in memory.
package kubernetes
