// Package dynamic is a client for any resource of a Kubernetes API server,
// known at compile time or not. Objects are [unstructured.Unstructured]: what
// the server sent, as maps, slices and plain values.
//
//	client, err := dynamic.NewForConfig(config)
//	…
//	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
//	list, err := client.Resource(deployments).Namespace("default").List(ctx, metav1.ListOptions{})
//
// The same interface serves resources with namespaces and without. Without a
// call to Namespace, List, Watch and DeleteCollection mean all namespaces.
//
// # Errors
//
// What the server refuses is an error of [k8s.io/apimachinery/pkg/api/errors].
// A name or a namespace that cannot be part of a path, or a name that is
// missing, is an error before anything is sent.
//
// # Formats
//
// Objects travel as JSON, or as CBOR where the feature gates ClientsAllowCBOR
// and ClientsPreferCBOR say so. A response in JSON is parsed once, and short
// strings that occur in it again and again are kept once.
//
// # Retention
//
// Objects do not hold on to the response that they came in. The items of a
// list do share one array, so that a pointer into it keeps all items alive:
// copy the items that outlive the list, or iterate with
// [unstructured.UnstructuredList.EachListItemWithAlloc], which does.
package dynamic
