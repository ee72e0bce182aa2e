package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// watchMemory samples how much memory the processes of a session have, until
// the function that it returns is called for the highest sum. Where there is no
// /proc it is 0.
func watchMemory(session int) (peak func() int64) {
	stop, result := make(chan struct{}), make(chan int64)
	go func() {
		var highest int64
		wait := time.Duration(0)
		for {
			select {
			case <-stop:
				result <- highest
				return
			case <-time.After(wait):
			}
			start := time.Now()
			highest = max(highest, residentMemory(session))
			// Little of one core, so that it is not this that is measured.
			wait = min(max(10*time.Millisecond, 20*time.Since(start)), 50*time.Millisecond)
		}
	}()
	return func() int64 {
		close(stop)
		return <-result
	}
}

// residentMemory sums the memory of a session's processes, in bytes: of pages that
// several have, each has its share.
func residentMemory(session int) (sum int64) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // It is gone.
		}
		// After the name in parentheses come the fields from the third on: the
		// sixth is the session. See proc_pid_stat(5).
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 4 || string(fields[3]) != fmt.Sprint(session) {
			continue
		}
		sum += share(filepath.Join(filepath.Dir(name), "smaps_rollup"))
	}
	return sum
}

// share reads a process's part of what is resident, in bytes: see
// proc_pid_smaps_rollup in proc(5).
func share(name string) int64 {
	text, _ := os.ReadFile(name) // It may be gone.
	for line := range bytes.Lines(text) {
		if fields := bytes.Fields(line); len(fields) == 3 && string(fields[0]) == "Pss:" {
			kilobytes, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			return kilobytes * 1024
		}
	}
	return 0
}
