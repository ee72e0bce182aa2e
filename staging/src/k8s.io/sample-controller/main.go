// Sample-controller publishes pages: for each Page, which is a custom resource, it keeps
// a ConfigMap with the page as HTML. It is a small but whole controller on
// k8s.io/client-go, to learn from and to begin with.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Sample-controller keeps a ConfigMap for each Page, with the page as HTML.

Usage: sample-controller [flags]

Of several that run, one leads and the others wait. It ends on an interrupt or
termination signal when the pages being worked on are done; a second signal ends it at
once. The exit status is 0 if it was told to end, 1 if something went wrong, and 2 if
the command line is wrong.

Flags:
`

func main() {
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

// command returns the exit status.
func command(args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("sample-controller", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig `file`; the default is found as kubectl finds it, or in a pod from its service account")
	flags.StringVar(&o.namespace, "namespace", "", "work in this `namespace` alone")
	flags.StringVar(&o.leaseNamespace, "lease-namespace", "default", "`namespace` of the lease that the leader holds")
	flags.IntVar(&o.workers, "workers", 2, "`number` of pages to work on at a time")
	flags.StringVar(&o.address, "address", "127.0.0.1:8080", "`address` for /healthz, /leader and /metrics")

	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	}
	switch {
	case err != nil:
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.workers < 1:
		err = fmt.Errorf("--workers=%d is less than 1", o.workers)
	}
	if err != nil {
		fmt.Fprintf(stderr, "sample-controller: %v\nSee sample-controller --help.\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal is not caught
	if err := run(ctx, o); err != nil {
		fmt.Fprintf(stderr, "sample-controller: %v\n", err)
		return 1
	}
	return 0
}
