package flowcontrol

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	testingclock "k8s.io/utils/clock/testing"
)

func TestBucketLetsABurstThroughAndThenTheRate(t *testing.T) {
	now := testingclock.NewFakeClock(time.Unix(1e9, 0))
	for name, limiter := range map[string]PassiveRateLimiter{
		"waiting": NewTokenBucketRateLimiterWithClock(2, 3, now),
		"passive": NewTokenBucketPassiveRateLimiterWithClock(2, 3, now),
	} {
		t.Run(name, func(t *testing.T) {
			take := func(want int) {
				t.Helper()
				got := 0
				for limiter.TryAccept() {
					got++
				}
				if got != want {
					t.Errorf("let %d through, want %d", got, want)
				}
			}
			take(3)
			now.Step(500 * time.Millisecond)
			take(1)
			now.Step(time.Hour)
			take(3)
			if limiter.QPS() != 2 {
				t.Errorf("QPS %v", limiter.QPS())
			}
		})
	}
}

func TestAcceptAndWaitTakeTheTimeThatTheRateAsksFor(t *testing.T) {
	for name, take := range map[string]func(RateLimiter) error{
		"Accept": func(l RateLimiter) error { l.Accept(); return nil },
		"Wait":   func(l RateLimiter) error { return l.Wait(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limiter := NewTokenBucketRateLimiter(4, 1)
				start := time.Now()
				for range 5 {
					if err := take(limiter); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("five requests at four a second took %v, want 1s", took)
				}
			})
		})
	}
}

func TestWaitRefusesAtOnceIfTheContextEndsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limiter := NewTokenBucketRateLimiter(1, 1)
		limiter.Accept()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := limiter.Wait(ctx); err == nil {
			t.Error("no error")
		}
		if time.Since(start) != 0 {
			t.Error("waited although there was nothing to wait for")
		}
	})
}

func TestFakeLimiters(t *testing.T) {
	always := NewFakeAlwaysRateLimiter()
	always.Accept()
	always.Stop()
	if !always.TryAccept() || always.Wait(context.Background()) != nil {
		t.Error("the limiter that always accepts refused")
	}
	synctest.Test(t, func(t *testing.T) {
		never := NewFakeNeverRateLimiter()
		if never.TryAccept() || never.Wait(context.Background()) == nil {
			t.Error("the limiter that never accepts accepted")
		}
		returned := make(chan struct{})
		go func() { never.Accept(); close(returned) }()
		synctest.Wait()
		select {
		case <-returned:
			t.Error("Accept returned before Stop")
		default:
		}
		never.Stop()
		never.Stop()
		<-returned
	})
}

func BenchmarkTryAccept(b *testing.B) {
	limiter := NewTokenBucketRateLimiter(1e9, 1e9)
	b.ReportAllocs()
	for b.Loop() {
		limiter.TryAccept()
	}
}
