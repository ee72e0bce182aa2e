// informer is the program that bench-informer builds with each of the client-go
// modules: one pod informer, driven by lines on its standard input. To each it
// answers with one line of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// An answer has what was measured since the last one.
type answer struct {
	Seconds   float64 // of the wall clock
	CPU       float64 // seconds of processor time
	Objects   int
	Events    int64
	Allocated uint64 // bytes
	Live      uint64 // bytes of heap, after a collection; only where asked for
	RSS, Peak uint64 // bytes; the peak is since the last answer
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "")
	protobuf := flag.Bool("protobuf", false, "")
	flag.Parse()
	if err := run(*kubeconfig, *protobuf); err != nil {
		fmt.Fprintln(os.Stderr, "informer:", err)
		os.Exit(1)
	}
}

func run(kubeconfig string, protobuf bool) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	if protobuf {
		config.ContentType = "application/vnd.kubernetes.protobuf"
		config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	var events, lists atomic.Int64
	source := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "pods", corev1.NamespaceAll, fields.Everything())
	informer := cache.NewSharedIndexInformer(source, &corev1.Pod{}, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	if err := informer.SetWatchErrorHandler(func(*cache.Reflector, error) { lists.Add(1) }); err != nil {
		return err
	}
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { events.Add(1) },
		UpdateFunc: func(_, _ any) { events.Add(1) },
		DeleteFunc: func(any) { events.Add(1) },
	})
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	measure := start()
	go informer.Run(stop)
	for !handler.HasSynced() {
		time.Sleep(time.Millisecond)
	}
	out := json.NewEncoder(os.Stdout)
	tell := func(a answer) error {
		a.Objects = len(informer.GetStore().ListKeys())
		return out.Encode(a)
	}
	if err := tell(measure.answer(events.Load())); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch verb, arg, _ := strings.Cut(lines.Text(), " "); verb {
		case "live":
			runtime.GC()
			runtime.GC()
			if name := os.Getenv("HEAP_PROFILE"); name != "" {
				if f, err := os.Create(fmt.Sprintf("%s.%d", name, os.Getpid())); err == nil {
					_ = pprof.WriteHeapProfile(f)
					_ = f.Close()
				}
			}
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			a := measure.answer(events.Load())
			a.Live = stats.HeapAlloc
			err = tell(a)
		case "start": // a measurement
			measure = start()
			measure.events = events.Load()
			err = tell(answer{RSS: status("VmRSS:")})
		case "events": // wait until there were so many
			n, _ := strconv.ParseInt(arg, 10, 64)
			last, since := int64(0), time.Now()
			for events.Load()-measure.events < n && err == nil {
				time.Sleep(time.Millisecond)
				if now := events.Load(); now != last {
					last, since = now, time.Now()
				} else if time.Since(since) > 30*time.Second {
					err = fmt.Errorf("%d of %d events came", now-measure.events, n)
				}
			}
			if err == nil {
				err = tell(measure.answer(events.Load()))
			}
		case "measure":
			err = tell(measure.answer(events.Load()))
		case "version":
			err = out.Encode(informer.LastSyncResourceVersion())
		default:
			err = fmt.Errorf("unknown: %q", verb)
		}
		if err != nil {
			return err
		}
	}
	close(stop)
	return lines.Err()
}

type measurement struct {
	began     time.Time
	cpu       time.Duration
	allocated uint64
	events    int64
}

func start() *measurement {
	// The peak is that of the time to come: see proc(5).
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return &measurement{began: time.Now(), cpu: cpu(), allocated: stats.TotalAlloc}
}

func (m *measurement) answer(events int64) answer {
	took, used := time.Since(m.began), cpu()-m.cpu
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return answer{
		Seconds: took.Seconds(), CPU: used.Seconds(), Events: events - m.events,
		Allocated: stats.TotalAlloc - m.allocated, RSS: status("VmRSS:"), Peak: status("VmHWM:"),
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// status returns a size that the kernel knows of this process, in bytes.
func status(name string) uint64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kilobytes, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
