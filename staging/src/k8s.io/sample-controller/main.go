// Sample-controller keeps a target directory equal to a source directory. It
// is a small but real program built on k8s.io/client-go/util/workqueue.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/sample-controller/dirsync"
)

const usage = `Sample-controller keeps the directory TARGET equal to the directory SOURCE.

Usage: sample-controller [flags] SOURCE TARGET

It compares them at an interval, and ends on an interrupt or termination signal
when the files being written are complete; a second signal ends it at once. What
is in TARGET and not in SOURCE is removed.

The exit status is 0 if all is well, 1 if something could not be copied, and 2
if the command line is wrong.

Flags:
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	var (
		controller dirsync.Controller
		once       bool
		level      slog.Level
	)
	flags := flag.NewFlagSet("sample-controller", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&once, "once", false, "compare and copy once, then exit")
	flags.IntVar(&controller.Workers, "workers", 2, "`number` of paths to deal with at a time")
	flags.DurationVar(&controller.Interval, "interval", time.Second, "`time` between two comparisons")
	flags.IntVar(&controller.Retries, "retries", 5, "`number` of further attempts at what failed, with --once")
	flags.TextVar(&level, "log-level", slog.LevelInfo, "lowest `level` to log: debug, info, warn or error")

	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	}
	switch {
	case err != nil:
	case flags.NArg() != 2:
		err = fmt.Errorf("want SOURCE and TARGET, got %d arguments", flags.NArg())
	case controller.Workers < 1:
		err = fmt.Errorf("--workers=%d is less than 1", controller.Workers)
	case controller.Interval <= 0:
		err = fmt.Errorf("--interval=%v is not positive", controller.Interval)
	case controller.Retries < 0:
		err = fmt.Errorf("--retries=%d is negative", controller.Retries)
	}
	if err != nil {
		fmt.Fprintf(stderr, "sample-controller: %v\nSee sample-controller --help.\n", err)
		return 2
	}
	controller.Source, controller.Target = flags.Arg(0), flags.Arg(1)
	controller.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal is not caught

	sync := controller.Run
	if once {
		sync = controller.Once
	}
	controller.Log.Info("starting", "source", controller.Source, "target", controller.Target, "once", once)
	if err := sync(ctx); err != nil {
		controller.Log.Error("failed", "err", err)
		return 1
	}
	controller.Log.Info("done")
	return 0
}
