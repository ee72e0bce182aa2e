// Package v1 describes a kubeconfig file as it stands on disk, in YAML or
// JSON. Unlike in the package above, clusters, users and contexts are lists
// whose items carry their names.
//
// Programs read files with k8s.io/client-go/tools/clientcmd. They need this
// package if they write a kubeconfig for others as part of something bigger,
// or know one as a typed object.
//
// +k8s:conversion-gen=k8s.io/client-go/tools/clientcmd/api
// +k8s:deepcopy-gen=package
// +k8s:defaulter-gen=Kind
package v1
