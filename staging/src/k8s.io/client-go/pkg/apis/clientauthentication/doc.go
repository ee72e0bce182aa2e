// Package clientauthentication describes the group
// client.authentication.k8s.io: what a client and a credential plugin say to
// each other.
//
// A credential plugin is a program that a kubeconfig names under "exec". The
// client puts an [ExecCredential] with a spec into the environment variable
// KUBERNETES_EXEC_INFO and runs the program, which answers on its standard
// output with an ExecCredential that has a status. Both are JSON, in one of
// the versions that the subpackages v1 and v1beta1 hold.
//
// The types here are the internal ones that both versions convert to. Client
// code uses them through [k8s.io/client-go/rest]; plugins are written with
// [k8s.io/client-go/tools/auth/exec] and a versioned package.
//
// +k8s:deepcopy-gen=package
// +groupName=client.authentication.k8s.io
package clientauthentication
