// Package controlplane runs a real Kubernetes API server and its etcd on
// loopback, for tests, for benchmarks and for trying things out.
//
//	cp, err := controlplane.Start(ctx, controlplane.Options{})
//	if err != nil { … }
//	defer cp.Stop()
//	// point any client at cp.AdminKubeconfig
//
// There are an API server and a store, and nothing else: no scheduler, no
// controllers, no kubelets. So a pod stays pending, a Deployment makes no
// ReplicaSet, and the ServiceAccount admission plugin, which would wait for a
// controller to make each namespace's default account, is off. All the rest is
// as in a cluster: RBAC, custom resources, aggregated discovery, admission
// policies, server-side apply, watches, token requests.
//
// Each control plane has a directory, ports, certificates and credentials of its
// own, so that many run side by side. Everything listens on loopback only; etcd
// talks to nobody but its API server (mutual TLS, an authority of its own);
// secrets are in files of mode 0600, never in a process's arguments. Where a test
// is killed its children die with it (on Linux), and the directory that it left
// is removed by the next Start.
//
// The package imports the standard library alone, so that it can serve tests of
// any implementation of a client. The servers are built from their Go modules by
// the module in binaries, see [Build].
package controlplane
