// Package api holds what a kubeconfig file says, in the form programs work
// with: clusters, users and contexts are maps by name, and each of them knows
// the file it was read from.
//
// A file is read and written by the package k8s.io/client-go/tools/clientcmd;
// its form on disk is described by the types in api/v1. The functions here
// change a [Config] that has been read already:
//
//   - [MinifyConfig] keeps what the current context needs and drops the rest.
//   - [FlattenConfig] replaces the names of certificate and key files by what
//     the files hold, so that the config can be carried elsewhere.
//   - [RedactSecrets] and [ShortenConfig] prepare a config for being shown.
//
// +k8s:deepcopy-gen=package
package api
