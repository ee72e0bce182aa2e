package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// results are the medians by row.
type results map[key]measurement

// ratio tells how many times as long one row took as another; ok is false
// where one of them has no time.
func (r results) ratio(of, to key) (float64, bool) {
	a, okA := r[of]
	b, okB := r[to]
	if !okA || !okB || a.TimedOut || b.TimedOut || b.Wall == 0 {
		return 0, false
	}
	return float64(a.Wall) / float64(b.Wall), true
}

// writeTable writes the rows that have results as a markdown table.
func writeTable(w io.Writer, rows []row, r results) {
	fmt.Fprintln(w, "| what | runs | wall, median | its CPU | peak memory | to rev-list | to filter-repo |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|")
	for _, row := range rows {
		m, ok := r[row.key]
		if !ok {
			continue
		}
		wall := seconds(m.Wall)
		if m.TimedOut {
			wall = "> " + row.timeout.String()
		}
		fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s | %s |\n", row.title, row.runs, wall, seconds(m.CPU), mebibytes(m.Peak),
			times(r.ratio(row.key, revListOf(row.key))), times(r.ratio(row.key, filterRepo)))
	}
}

// revListOf gives the small source's rows their own limit to compare with.
func revListOf(k key) key {
	if strings.HasPrefix(string(k), "small ") {
		return smallRevList
	}
	return revList
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func mebibytes(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }

func times(ratio float64, ok bool) string {
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.2fx", ratio)
}

// target is what is asked of the publisher: that one row is at most so many times
// another.
type target struct {
	what   string
	of, to key
	unit   string
	limit  float64
}

var targets = []target{
	{"one directory from nothing", syncOne, filterRepo, "filter-repo", 0.4},
	{"everything from nothing", fromNothing, filterRepo, "filter-repo of one directory", 4},
	{"nothing new", nothingNew, revList, "rev-list", 1},
	{"ten new commits", tenNew, revList, "rev-list", 2},
	{"verify", verify, fromNothing, "the sync that it proves", 2},
}

// memoryLimit is what no command of ours may reach, in bytes.
const memoryLimit = 1 << 30

func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "MISSED"
}

// writeTargets writes a line for each target, measured or not.
func writeTargets(w io.Writer, rows []row, r results) {
	for _, t := range targets {
		if ratio, ok := r.ratio(t.of, t.to); ok {
			fmt.Fprintf(w, "- %s: %s %s (target <= %gx): %s\n", t.what, times(ratio, true), t.unit, t.limit, verdict(ratio <= t.limit))
		} else {
			fmt.Fprintf(w, "- %s: not measured (target <= %gx %s)\n", t.what, t.limit, t.unit)
		}
	}
	var peak int64
	for _, row := range rows {
		if strings.HasPrefix(row.title, "publisher ") {
			peak = max(peak, r[row.key].Peak)
		}
	}
	if peak > 0 {
		fmt.Fprintf(w, "- peak memory of ours: %s (target < %s): %s\n", mebibytes(peak), mebibytes(memoryLimit), verdict(peak < memoryLimit))
	} else {
		fmt.Fprintf(w, "- peak memory of ours: not measured (target < %s)\n", mebibytes(memoryLimit))
	}
}

// writeGrowth tells what four times the history costs when the news is the same.
func writeGrowth(w io.Writer, large, small int, r results) {
	fmt.Fprintf(w, "- from %d to %d commits (%.1fx):", small, large, float64(large)/float64(small))
	separator := " "
	for _, pair := range []struct {
		what     string
		of, from key
	}{{"nothing new", nothingNew, smallNothingNew}, {"ten new commits", tenNew, smallTenNew}, {"rev-list, for comparison", revList, smallRevList}} {
		if ratio, ok := r.ratio(pair.of, pair.from); ok {
			fmt.Fprintf(w, "%s%s %s (%s to %s)", separator, pair.what, times(ratio, true),
				seconds(r[pair.from].Wall), seconds(r[pair.of].Wall))
			separator = ", "
		}
	}
	fmt.Fprintln(w)
}
