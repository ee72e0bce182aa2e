package flowcontrol

import (
	"fmt"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"
)

var epoch = time.Unix(1e9, 0)

func TestTimeDoublesUpToTheMaximum(t *testing.T) {
	b := NewFakeBackOff(time.Second, 5*time.Second, testingclock.NewFakeClock(epoch))
	var got []time.Duration
	for range 5 {
		got = append(got, b.Get("a"))
		b.Next("a", epoch)
	}
	if want := "[0s 1s 2s 4s 5s]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if b.Get("b") != 0 {
		t.Error("a key's failures count for another one")
	}
	b.Reset("a")
	if b.Get("a") != 0 {
		t.Error("Reset left a time")
	}
	if b.Next("a", epoch); b.Get("a") != time.Second {
		t.Errorf("after Reset it starts with %v", b.Get("a"))
	}
}

func TestJitterOnlyMakesLongerAndKeepsTheMaximum(t *testing.T) {
	b := NewFakeBackOffWithJitter(time.Second, 10*time.Second, testingclock.NewFakeClock(epoch), 0.5)
	low, high := time.Second, 1500*time.Millisecond
	for range 6 {
		b.Next("a", epoch)
		got := b.Get("a")
		if got < low || got > high {
			t.Fatalf("%v is not between %v and %v", got, low, high)
		}
		low, high = min(2*got, 10*time.Second), min(got*5/2, 10*time.Second)
	}
}

func TestKeyIsLeftAloneAsLongAsItsTime(t *testing.T) {
	clock := testingclock.NewFakeClock(epoch)
	b := NewFakeBackOff(time.Second, 8*time.Second, clock)
	b.Next("a", epoch)
	b.Next("a", epoch) // 2s
	for _, tc := range []struct {
		step            time.Duration // since the update
		since, sinceUpd bool
	}{
		{0, true, true},
		{2*time.Second - 1, true, true},
		{2 * time.Second, false, false},
		{time.Minute, false, false},
	} {
		clock.SetTime(epoch.Add(tc.step))
		if got := b.IsInBackOffSince("a", epoch); got != tc.since {
			t.Errorf("%v after the event: IsInBackOffSince is %v", tc.step, got)
		}
		if got := b.IsInBackOffSinceUpdate("a", clock.Now()); got != tc.sinceUpd {
			t.Errorf("%v after the update: IsInBackOffSinceUpdate is %v", tc.step, got)
		}
	}
	if b.IsInBackOffSince("unknown", clock.Now()) || b.IsInBackOffSinceUpdate("unknown", clock.Now()) {
		t.Error("an unknown key is to be left alone")
	}
}

func TestKeyStartsAfreshAfterTwiceTheMaximum(t *testing.T) {
	for _, tc := range []struct {
		quiet time.Duration
		want  time.Duration
	}{
		{16 * time.Second, 4 * time.Second},
		{16*time.Second + 1, time.Second},
	} {
		b := NewFakeBackOff(time.Second, 8*time.Second, testingclock.NewFakeClock(epoch))
		b.Next("a", epoch)
		b.Next("a", epoch)
		if b.Next("a", epoch.Add(tc.quiet)); b.Get("a") != tc.want {
			t.Errorf("after %v of quiet it is %v, want %v", tc.quiet, b.Get("a"), tc.want)
		}
	}
}

func TestGCForgetsExpiredKeysOnly(t *testing.T) {
	clock := testingclock.NewFakeClock(epoch)
	b := NewFakeBackOff(time.Second, 8*time.Second, clock)
	b.Next("old", epoch)
	clock.Step(16*time.Second + 1)
	b.Next("new", clock.Now())
	b.GC()
	if b.Get("old") != 0 || b.Get("new") == 0 {
		t.Errorf("old %v, new %v", b.Get("old"), b.Get("new"))
	}
	b.DeleteEntry("new")
	if b.Get("new") != 0 {
		t.Error("DeleteEntry left the key")
	}
}

func TestExpiryIsTheCallersIfGiven(t *testing.T) {
	b := NewFakeBackOff(time.Second, 8*time.Second, testingclock.NewFakeClock(epoch))
	b.HasExpiredFunc = func(event, update time.Time, max time.Duration) bool {
		if !update.Equal(epoch) || max != 8*time.Second {
			t.Errorf("update %v, max %v", update, max)
		}
		return event.Sub(update) >= time.Second
	}
	b.Next("a", epoch)
	b.Next("a", epoch.Add(time.Second-1))
	if b.Get("a") != 2*time.Second {
		t.Errorf("started afresh too early: %v", b.Get("a"))
	}
	if b.Next("a", epoch.Add(time.Second)); b.Get("a") != time.Second {
		t.Errorf("did not start afresh: %v", b.Get("a"))
	}
}

func ExampleBackoff() {
	clock := testingclock.NewFakeClock(epoch)
	backoff := NewFakeBackOff(time.Second, time.Minute, clock)
	for range 3 {
		backoff.Next("registry.example", clock.Now())
		fmt.Println(backoff.Get("registry.example"))
	}
	clock.Step(4 * time.Second)
	fmt.Println(backoff.IsInBackOffSinceUpdate("registry.example", clock.Now()))
	// Output:
	// 1s
	// 2s
	// 4s
	// false
}
