// controlplane runs a real Kubernetes API server with its etcd on loopback until
// it is interrupted, for trying things out:
//
//	go run ./cmd/controlplane -kubeconfig try.kubeconfig
//
// See package [k8s.io/publisher/hack/e2e/controlplane] for what there is and
// what there is not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/publisher/hack/e2e/controlplane"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("controlplane", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: controlplane [flags] [-- kube-apiserver flags]")
		flags.PrintDefaults()
	}
	var (
		opts       controlplane.Options
		kubeconfig = flags.String("kubeconfig", "", "write the admin's kubeconfig to this `file`; it is removed at the end, and must not exist yet")
		verbose    = flags.Bool("v", false, "show the servers' logs")
		buildOnly  = flags.Bool("build", false, "build the binaries, kubectl too, and stop")
	)
	flags.StringVar(&opts.Dir, "data-dir", "", "keep everything in this `directory`, and continue what is there")
	flags.BoolVar(&opts.Keep, "keep", false, "leave the temporary directory in place at the end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	opts.APIServerArgs = flags.Args()

	// A build takes minutes, so it is always told of.
	if *buildOnly {
		dir, err := controlplane.Build(ctx, stderr, controlplane.Etcd, controlplane.APIServer, controlplane.Kubectl)
		if err == nil {
			fmt.Fprintln(stdout, dir)
		}
		return err
	}
	if opts.BinDir == "" && os.Getenv("CONTROLPLANE_BIN") == "" {
		if opts.BinDir, err = controlplane.Build(ctx, stderr, controlplane.Etcd, controlplane.APIServer); err != nil {
			return err
		}
	}
	if *verbose {
		opts.Log = stderr
	}

	cp, err := controlplane.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cp.Stop()) }()
	admin := cp.AdminKubeconfig
	if *kubeconfig != "" {
		if admin, err = filepath.Abs(*kubeconfig); err != nil {
			return err
		}
		if err := copyNew(admin, cp.AdminKubeconfig); err != nil {
			return err
		}
		defer os.Remove(admin)
	}
	fmt.Fprintf(stdout, `API server  %s
admin       export KUBECONFIG=%s
            by certificate: %s
few rights  %s
logs        %s
Interrupt to stop.
`, cp.URL, admin, cp.AdminCertKubeconfig, cp.LimitedKubeconfig, cp.APIServerLog)
	return cp.Wait(ctx)
}

// copyNew never overwrites: a kubeconfig file may hold what nobody has elsewhere.
func copyNew(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: give the name of a new file", err)
		}
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close(), os.Remove(to))
	}
	return f.Close()
}
