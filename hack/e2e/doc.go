// Package e2e tests the client library against a real API server, through its
// public API alone.
//
//	go test ./...                                        # ours: the module in staging/
//	go test -tags=published -modfile=public.mod ./...    # the published one: a check of the tests
//
// The published one fails where more is asked for than it promises: that a deletion which
// is sent twice is told once, and that no two electors take themselves for the leader
// while one is cut off.
//
// One control plane (see package controlplane) serves all tests; those that kill an
// API server start one of their own. With E2E_KUBECONFIG set to a kubeconfig file
// of an administrator the tests use that cluster instead, and those that need to
// do something to the server itself are skipped. It should be a cluster that
// nobody needs.
//
// What goes wrong between informers and a server is in informers_faults_test.go, fault
// by fault, and all of it at once in churn_test.go. Both compare the informers, and what
// these told, with a fresh list, object by object (witness_test.go).
//
// What there is to test is asked of the server: each resource that discovery
// lists must have a typed client and an object in testdata/objects.yaml, or its
// test fails.
package e2e
