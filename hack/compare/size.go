package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// The programs that are compared. Sizes are in millions of bytes.
//
// A floor is the public dynamic client with the types of k8s.io/api linked that a
// typed client cannot do without: what these cost where generic code encodes and
// decodes them. The limit is what a change must not exceed.
var programs = []struct {
	name, what string
	floor      string // a program, too
	limit      float64
	public     string // the program that does the same with the public module
	runs       bool   // whether it lists pods once and ends, so that its start can be measured
}{
	{"core", "lists pods, client of core/v1 alone", "floorcore", 18, "core", true},
	{"clientset", "lists pods, the whole clientset", "floorall", 33.1, "clientset", true},
	{"dynamic", "lists pods, dynamic client", "", 13.5, "dynamic", true},
	{"kubeconfig", "loads a kubeconfig, lists pods, the whole clientset", "floorall", 33.8, "kubeconfig", false},
	{"informer", "pod informer of its own, queue, leader election", "", 24, "factory", false},
	{"factory", "pod informer of a factory, queue, leader election", "floorall", 36.7, "factory", false},
}

// size builds the programs and prints their sizes and what they cost to start.
// It returns an error if a program of ours is above its limit.
func size() error {
	scratch, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	megabytes := func(b build, program string) (float64, error) {
		binary := filepath.Join(scratch, b.name+"-"+program)
		if err := compile(b, program, binary); err != nil {
			return 0, err
		}
		info, err := os.Stat(binary)
		if err != nil {
			return 0, err
		}
		return float64(info.Size()) / 1e6, nil
	}

	// column is megabytes as text, or nothing for a program that there is not.
	column := func(program string) (string, error) {
		if program == "" {
			return "", nil
		}
		size, err := megabytes(public, program)
		return fmt.Sprintf("%.2f", size), err
	}

	var over []string
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "size in MB (go build, not stripped)\tours\tpublic\tratio\tfloor\tlimit\t")
	for _, p := range programs {
		mine, err := megabytes(ours, p.name)
		if err != nil {
			return err
		}
		theirs, err := megabytes(public, p.public)
		if err != nil {
			return err
		}
		floor, err := column(p.floor)
		if err != nil {
			return err
		}
		if mine > p.limit || mine > theirs {
			over = append(over, p.name)
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%s\t%.1f\t\n", p.what, mine, theirs, mine/theirs, floor, p.limit)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Println()
	if err := starts(scratch); err != nil {
		return err
	}
	if len(over) > 0 {
		return fmt.Errorf("above the limit: %s", strings.Join(over, ", "))
	}
	return nil
}

func compile(b build, program, binary string) error {
	cmd := exec.Command("go", "build", "-modfile="+b.modfile, "-o", binary, "./programs/"+program)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building program %s with %s: %w", program, b.modfile, err)
	}
	return nil
}

// startRuns is how often each program is started; the medians are printed.
const startRuns = 51

// starts prints what each program costs from the start of its process to its
// first request, and what it has allocated when it has the answer.
func starts(binaries string) error {
	arrived := make(chan time.Time, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- time.Now()
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)
	})}
	go server.Serve(listener)
	defer server.Close()

	type cost struct {
		toRequest          []time.Duration
		mallocs, allocated []uint64
	}
	start := func(b build, program string, c *cost) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, filepath.Join(binaries, b.name+"-"+program))
		cmd.Env = append(os.Environ(), "SERVER=http://"+listener.Addr().String())
		printed, err := cmd.StderrPipe() // where println prints
		if err != nil {
			return err
		}
		began := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		line, _ := bufio.NewReader(printed).ReadString('\n')
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%s with %s: %w: %s", program, b.modfile, err, line)
		}
		var items int
		var mallocs, allocated uint64
		if _, err := fmt.Sscan(line, &items, &mallocs, &allocated); err != nil {
			return fmt.Errorf("%s with %s printed %q: %w", program, b.modfile, line, err)
		}
		c.toRequest = append(c.toRequest, (<-arrived).Sub(began))
		c.mallocs = append(c.mallocs, mallocs)
		c.allocated = append(c.allocated, allocated)
		return nil
	}

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "process start to first request\tours\tpublic\tratio\tallocations, ours\tpublic\tratio\tkB allocated, ours\tpublic\tratio\t")
	for _, p := range programs {
		if !p.runs {
			continue
		}
		var mine, theirs cost
		for range startRuns { // alternately, so that both meet the same machine
			if err := start(ours, p.name, &mine); err != nil {
				return err
			}
			if err := start(public, p.name, &theirs); err != nil {
				return err
			}
		}
		a, b := median(mine.toRequest), median(theirs.toRequest)
		m, n := median(mine.mallocs), median(theirs.mallocs)
		x, y := median(mine.allocated), median(theirs.allocated)
		fmt.Fprintf(w, "%s\t%.1f ms\t%.1f ms\t%.2f\t%d\t%d\t%.2f\t%d\t%d\t%.2f\t\n", p.what,
			float64(a)/1e6, float64(b)/1e6, float64(a)/float64(b),
			m, n, float64(m)/float64(n), x/1000, y/1000, float64(x)/float64(y))
	}
	return w.Flush()
}

func median[T ~int64 | ~uint64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
