// bench-informer fills a real API server with pods and has one informer program,
// built with our client-go and with the public module of the same version, follow
// them in turn. It prints what each took, and the ratios.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/publisher/hack/e2e/controlplane"
)

type answer struct {
	Seconds, CPU    float64
	Objects         int
	Events          int64
	Allocated, Live uint64
	RSS, Peak       uint64
}

// A result is what one program took.
type result struct{ synced, steady, updated, relisted answer }

func main() {
	pods := flag.Int("pods", 20_000, "how `many` pods")
	// Fewer updates are over before the collector ran once, and leave out what it takes.
	updates := flag.Int("updates", 20_000, "how `many` updates")
	runs := flag.Int("runs", 1, "how `often` each program runs; the best of each figure counts")
	format := flag.String("format", "", "`JSON` or protobuf; empty: both")
	flag.Parse()
	formats := []string{"JSON", "protobuf"}
	if *format != "" {
		if !slices.Contains(formats, *format) {
			fmt.Fprintf(os.Stderr, "bench-informer: -format %s: it is one of %s\n", *format, strings.Join(formats, " and "))
			os.Exit(2)
		}
		formats = []string{*format}
	}
	if err := run(context.Background(), formats, *pods, *updates, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench-informer:", err)
		os.Exit(1)
	}
}

var builds = []struct{ name, modfile string }{{"ours", "go.mod"}, {"public", "public.mod"}}

func run(ctx context.Context, formats []string, pods, updates, runs int) (err error) {
	scratch, err := os.MkdirTemp("", "bench-informer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	for _, b := range builds {
		build := exec.Command("go", "build", "-modfile="+b.modfile, "-o", filepath.Join(scratch, b.name), "./cmd/bench-informer/informer")
		build.Env = append(os.Environ(), "GOWORK=off")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building the informer with %s: %w", b.modfile, err)
		}
	}
	cp, err := controlplane.Start(ctx, controlplane.Options{Log: nil})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cp.Stop()) }()
	config, err := clientcmd.BuildConfigFromFlags("", cp.AdminKubeconfig)
	if err != nil {
		return err
	}
	controller, err := clientOf(config, "kube-controller-manager")
	if err != nil {
		return err
	}
	kubelet, err := clientOf(config, "kubelet")
	if err != nil {
		return err
	}
	began := time.Now()
	if err := fill(ctx, controller, kubelet, pods); err != nil {
		return fmt.Errorf("creating pods: %w", err)
	}
	one, err := controller.CoreV1().Pods("default").Get(ctx, newPod(0).Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	text, err := json.Marshal(one)
	if err != nil {
		return err
	}
	fmt.Printf("%d pods of %.1f kB of JSON, created in %.0f s; %d updates\n\n", pods, float64(len(text))/1e3, time.Since(began).Seconds(), updates)

	relay, err := newRelay(cp, config)
	if err != nil {
		return err
	}
	defer relay.Close()
	relayed := filepath.Join(scratch, "kubeconfig")
	if err := relay.writeKubeconfig(relayed, config); err != nil {
		return err
	}

	turn := 0
	for _, format := range formats {
		results := map[string]result{}
		for range runs { // alternately, so that both meet the same machine
			for _, b := range builds {
				turn++
				p := program{ctx: ctx, cp: cp, kubelet: kubelet, path: filepath.Join(scratch, b.name), protobuf: format == "protobuf", pods: pods, updates: updates, turn: turn}
				var r result
				if err := p.run(cp.AdminKubeconfig, func() error { return p.sync(&r) }); err != nil {
					return fmt.Errorf("%s, %s: %w", b.name, format, err)
				}
				if err := p.run(relayed, func() error { return p.follow(relay, &r.updated) }); err != nil {
					return fmt.Errorf("%s, %s: updates: %w", b.name, format, err)
				}
				if before, ok := results[b.name]; ok {
					r = r.best(before)
				}
				results[b.name] = r
			}
		}
		print(os.Stdout, format, results["ours"], results["public"])
	}
	return nil
}

// A program is one run of an informer.
type program struct {
	ctx                 context.Context
	cp                  *controlplane.ControlPlane
	kubelet             kubernetes.Interface
	path                string
	protobuf            bool
	pods, updates, turn int

	process *os.Process
	in      io.WriteCloser
	out     *bufio.Scanner
}

// run starts the program, and stops it after use.
func (p *program) run(kubeconfig string, use func() error) (err error) {
	cmd := exec.CommandContext(p.ctx, p.path, "-kubeconfig", kubeconfig, fmt.Sprintf("-protobuf=%t", p.protobuf))
	cmd.Stderr = os.Stderr
	if p.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewScanner(out)
	if err := cmd.Start(); err != nil {
		return err
	}
	p.process = cmd.Process
	if err := use(); err != nil {
		_ = cmd.Process.Kill() // it may be stopped
		return errors.Join(err, cmd.Wait())
	}
	_ = p.in.Close()
	return cmd.Wait()
}

// sync measures the first list, what it leaves behind, and another list.
func (p *program) sync(r *result) error {
	if err := p.read(&r.synced); err != nil {
		return err
	}
	if err := p.ask("live", &r.steady); err != nil {
		return err
	}
	return p.relist(&r.relisted)
}

// follow measures updates that come as fast as they are taken.
func (p *program) follow(relay *relay, a *answer) error {
	var ignored answer
	if err := p.read(&ignored); err != nil {
		return err
	}
	relay.hold()
	defer relay.release()
	if err := update(p.ctx, p.kubelet, p.pods, p.updates, p.turn); err != nil {
		return err
	}
	if err := relay.settle(p.ctx); err != nil {
		return err
	}
	if err := p.ask("live", &ignored); err != nil {
		return err
	}
	if err := p.ask("start", &ignored); err != nil {
		return err
	}
	relay.release()
	return p.ask(fmt.Sprint("events ", p.updates), a)
}

// relist has the server forget what the informer could go on from, so that it has to
// list anew.
func (p *program) relist(a *answer) error {
	var before, ignored answer
	if err := p.ask("live", &ignored); err != nil {
		return err
	}
	if err := p.ask("start", &before); err != nil {
		return err
	}
	// While it stands still, more pods change than there is room for between it and the
	// server, and then the database forgets what was before.
	missed := min(p.pods, 2000)
	if err := p.process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	p.turn++
	if err := update(p.ctx, p.kubelet, p.pods, missed, 50+p.turn); err != nil {
		return err
	}
	p.cp.KillAPIServer()
	if err := p.cp.Compact(p.ctx); err != nil {
		return err
	}
	if err := p.cp.StartAPIServer(p.ctx); err != nil {
		return err
	}
	if err := p.process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	// It is over when the informer has all of them, and lists anew to get there.
	deadline := time.Now().Add(2 * time.Minute)
	for time.Now().Before(deadline) {
		time.Sleep(time.Second)
		if err := p.ask("measure", a); err != nil {
			return err
		}
		if a.Events >= int64(missed) {
			a.RSS = before.RSS // that it is compared with
			return nil
		}
	}
	return errors.New("the informer did not go on within 2 minutes")
}

func (p *program) ask(what string, a *answer) error {
	if _, err := fmt.Fprintln(p.in, what); err != nil {
		return err
	}
	return p.read(a)
}

func (p *program) read(a *answer) error {
	if !p.out.Scan() {
		return errors.Join(io.ErrUnexpectedEOF, p.out.Err())
	}
	return json.Unmarshal(p.out.Bytes(), a)
}

// best takes the lower figures.
func (r result) best(other result) result {
	r.synced = r.synced.best(other.synced)
	r.steady = r.steady.best(other.steady)
	r.updated = r.updated.best(other.updated)
	if ratio(other.relisted.Peak, other.relisted.RSS) < ratio(r.relisted.Peak, r.relisted.RSS) {
		r.relisted = other.relisted
	}
	return r
}

func (a answer) best(b answer) answer {
	a.Seconds, a.CPU = min(a.Seconds, b.Seconds), min(a.CPU, b.CPU)
	a.Allocated, a.Live = min(a.Allocated, b.Allocated), min(a.Live, b.Live)
	a.RSS, a.Peak = min(a.RSS, b.RSS), min(a.Peak, b.Peak)
	return a
}

func ratio(a, b uint64) float64 { return float64(a) / float64(b) }

func print(w io.Writer, format string, ours, public result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%s\tours\tpublic\tratio\t\n", format)
	row := func(name, unit string, of func(result) float64) {
		a, b := of(ours), of(public)
		fmt.Fprintf(t, "%s\t%.2f %s\t%.2f %s\t%.2f\t\n", name, a, unit, b, unit, a/b)
	}
	megabytes := func(n uint64) float64 { return float64(n) / 1e6 }
	row("sync", "s", func(r result) float64 { return r.synced.Seconds })
	row("processor time of the sync", "s", func(r result) float64 { return r.synced.CPU })
	row("allocated by the sync", "MB", func(r result) float64 { return megabytes(r.synced.Allocated) })
	row("peak RSS", "MB", func(r result) float64 { return megabytes(r.synced.Peak) })
	row("live heap", "MB", func(r result) float64 { return megabytes(r.steady.Live) })
	row("events per second", "", func(r result) float64 { return float64(r.updated.Events) / r.updated.Seconds })
	row("events per second of processor time", "", func(r result) float64 { return float64(r.updated.Events) / r.updated.CPU })
	row("allocated per event", "kB", func(r result) float64 { return float64(r.updated.Allocated) / float64(r.updated.Events) / 1e3 })
	row("steady RSS", "MB", func(r result) float64 { return megabytes(r.relisted.RSS) })
	row("peak RSS of a relist", "MB", func(r result) float64 { return megabytes(r.relisted.Peak) })
	row("peak RSS of a relist / steady RSS", "", func(r result) float64 { return ratio(r.relisted.Peak, r.relisted.RSS) })
	t.Flush()
	fmt.Fprintln(w, strings.Repeat("-", 20))
}
