package flowcontrol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

// PassiveRateLimiter is a rate limiter that never waits.
type PassiveRateLimiter interface {
	// TryAccept takes a token if there is one now, and reports whether it did.
	TryAccept() bool
	// Stop ends those who wait for a limiter that can be stopped; a token bucket
	// has nothing to stop.
	Stop()
	// QPS returns how many requests a second are let through in the long run.
	QPS() float32
}

// RateLimiter is a rate limiter that can wait for its tokens.
type RateLimiter interface {
	PassiveRateLimiter
	// Accept returns when it took a token.
	Accept()
	// Wait returns nil when it took a token. It returns an error as soon as it is
	// known that ctx ends before that.
	Wait(ctx context.Context) error
}

// Clock is the time, for rate limiters under test.
type Clock interface {
	clock.PassiveClock
	Sleep(time.Duration)
}

// NewTokenBucketRateLimiter returns a limiter whose bucket starts with burst tokens,
// holds no more than that, and gets qps new ones a second.
func NewTokenBucketRateLimiter(qps float32, burst int) RateLimiter {
	return NewTokenBucketRateLimiterWithClock(qps, burst, clock.RealClock{})
}

// NewTokenBucketRateLimiterWithClock is NewTokenBucketRateLimiter with a clock of the
// caller's. Wait goes by the real time all the same, as contexts do.
func NewTokenBucketRateLimiterWithClock(qps float32, burst int, c Clock) RateLimiter {
	return &waitingBucket{bucket: newBucket(qps, burst, c), clock: c}
}

// NewTokenBucketPassiveRateLimiter is NewTokenBucketRateLimiter for callers that never
// wait.
func NewTokenBucketPassiveRateLimiter(qps float32, burst int) PassiveRateLimiter {
	return NewTokenBucketPassiveRateLimiterWithClock(qps, burst, clock.RealClock{})
}

// NewTokenBucketPassiveRateLimiterWithClock is NewTokenBucketPassiveRateLimiter with a
// clock of the caller's.
func NewTokenBucketPassiveRateLimiterWithClock(qps float32, burst int, c clock.PassiveClock) PassiveRateLimiter {
	b := newBucket(qps, burst, c)
	return &b
}

type bucket struct {
	tokens *rate.Limiter
	qps    float32
	now    clock.PassiveClock
}

func newBucket(qps float32, burst int, now clock.PassiveClock) bucket {
	return bucket{tokens: rate.NewLimiter(rate.Limit(qps), burst), qps: qps, now: now}
}

func (b *bucket) TryAccept() bool { return b.tokens.AllowN(b.now.Now(), 1) }
func (b *bucket) QPS() float32    { return b.qps }
func (b *bucket) Stop()           {}

type waitingBucket struct {
	bucket
	clock Clock
}

func (b *waitingBucket) Accept() {
	now := b.clock.Now()
	b.clock.Sleep(b.tokens.ReserveN(now, 1).DelayFrom(now))
}

func (b *waitingBucket) Wait(ctx context.Context) error {
	return b.tokens.Wait(ctx)
}

// NewFakeAlwaysRateLimiter returns a limiter that lets everything through at once.
func NewFakeAlwaysRateLimiter() RateLimiter { return open{} }

type open struct{}

func (open) TryAccept() bool            { return true }
func (open) Accept()                    {}
func (open) Wait(context.Context) error { return nil }
func (open) Stop()                      {}
func (open) QPS() float32               { return 1 }

// NewFakeNeverRateLimiter returns a limiter that lets nothing through: Accept waits until
// Stop is called, TryAccept and Wait refuse at once.
func NewFakeNeverRateLimiter() RateLimiter {
	ctx, stop := context.WithCancel(context.Background())
	return &shut{stopped: ctx.Done(), stop: stop}
}

type shut struct {
	stopped <-chan struct{}
	stop    func()
}

func (s *shut) TryAccept() bool { return false }
func (s *shut) Accept()         { <-s.stopped }
func (s *shut) Stop()           { s.stop() }
func (s *shut) QPS() float32    { return 1 }

func (s *shut) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the rate limiter never lets a request through: %w", err)
	}
	return errNever
}

var errNever = errors.New("the rate limiter never lets a request through")
