package metrics

import (
	"context"
	"net/url"
	"time"
)

// Discards reports whether metric is one that throws away what it is told, so that a
// caller can save itself the work of finding out what to tell.
func Discards(metric any) bool {
	_, ok := metric.(discarder)
	return ok
}

type discarder interface{ discards() }

// discard is embedded by each type that discards, which makes Discards know it. The
// types are several because the methods of the interfaces have the same names.
type discard struct{}

func (discard) discards()                                              {}
func (discard) Set(*time.Time)                                         {}
func (discard) Increment(int, string)                                  {}
func (discard) IncrementRetry(context.Context, string, string, string) {}

type discardDuration struct{ discard }

func (discardDuration) Observe(time.Duration) {}

type discardLatency struct{ discard }

func (discardLatency) Observe(context.Context, string, url.URL, time.Duration) {}

type discardResolver struct{ discard }

func (discardResolver) Observe(context.Context, string, time.Duration) {}

type discardSize struct{ discard }

func (discardSize) Observe(context.Context, string, string, float64) {}

type discardResult struct{ discard }

func (discardResult) Increment(context.Context, string, string, string) {}

type discardCount struct{ discard }

func (discardCount) Observe(int) {}

type discardLabel struct{ discard }

func (discardLabel) Increment(string) {}

type discardLabels struct{ discard }

func (discardLabels) Increment(string, string) {}

type discardEvent struct{ discard }

func (discardEvent) Increment() {}
