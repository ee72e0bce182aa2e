package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// measurement is what one run of a command cost.
type measurement struct {
	Wall time.Duration
	// CPU is the processor time, which other load on the machine changes less.
	CPU time.Duration
	// Peak is the most resident memory, in bytes, that the command and its
	// children were seen to have at one time; what they share, such as a file that
	// many map, counts once. It is no less than the largest of them had.
	Peak     int64
	TimedOut bool
}

// invocation is a command to measure.
type invocation struct {
	Args    []string
	Dir     string
	Env     []string // on top of the environment
	Timeout time.Duration
}

// stopwatchArg makes this program the stopwatch for a single command.
const stopwatchArg = "stopwatch"

// measure runs a command under a stopwatch process. It must not be a child of
// the harness itself: until exec, a child counts its parent's memory as its
// own, so that its peak would never be seen below the harness's. The
// stopwatch's own few megabytes remain as the floor.
func measure(ctx context.Context, call invocation) (measurement, error) {
	self, err := os.Executable()
	if err != nil {
		return measurement{}, err
	}
	input, err := json.Marshal(call)
	if err != nil {
		return measurement{}, err
	}
	var out, complaint strings.Builder
	cmd := exec.CommandContext(ctx, self, stopwatchArg)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(string(input)), &out, &complaint
	// Interrupt, not kill: the stopwatch passes it on to the command's group.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return measurement{}, fmt.Errorf("%s: %w\n%s", strings.Join(call.Args, " "), err, complaint.String())
	}
	var m measurement
	return m, json.Unmarshal([]byte(out.String()), &m)
}

// stopwatch is the other side of measure.
func stopwatch() error {
	var call invocation
	if err := json.NewDecoder(os.Stdin).Decode(&call); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if call.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, call.Timeout)
		defer cancel()
	}
	// Output goes to a file, so that nobody's reading of a pipe is measured.
	output, err := os.CreateTemp("", "bench-output-")
	if err != nil {
		return err
	}
	defer os.Remove(output.Name())

	cmd := exec.CommandContext(ctx, call.Args[0], call.Args[1:]...)
	cmd.Dir, cmd.Env = call.Dir, append(os.Environ(), call.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	// A session of its own, as scripts leave children behind when they die, and
	// to know the children by.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

	start := time.Now()
	failure := cmd.Start()
	var m measurement
	if failure == nil {
		peak := watchMemory(cmd.Process.Pid)
		failure = cmd.Wait()
		m.Wall = time.Since(start)
		m.Peak = peak()
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		m.TimedOut = true
	case failure != nil:
		text, _ := os.ReadFile(output.Name())
		return fmt.Errorf("%w\n%s", failure, text[max(0, len(text)-4000):])
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		m.Peak = max(m.Peak, usage.Maxrss*1024) // kilobytes, see getrusage(2)
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

// median is the middle one of several runs by time, and the highest peak.
func median(runs []measurement) measurement {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b measurement) int { return int(a.Wall - b.Wall) })
	m := sorted[len(sorted)/2]
	for _, r := range runs {
		m.Peak = max(m.Peak, r.Peak)
		m.TimedOut = m.TimedOut || r.TimedOut
	}
	return m
}
