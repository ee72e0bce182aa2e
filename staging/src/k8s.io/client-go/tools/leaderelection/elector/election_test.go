package elector

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	rl "k8s.io/client-go/tools/leaderelection/resourcelock"
)

func newElection(coordinated bool) *election {
	return &election{identity: "a", leaseDuration: 1500 * time.Millisecond, renewDeadline: time.Second, coordinated: coordinated}
}

// Others know a renewal by nothing but a record that looks different.
func TestEachRenewalLooksDifferentWhateverTheClockShows(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, clock := range map[string]func(i int) time.Time{
		"it goes on":                          func(i int) time.Time { return noon.Add(time.Duration(i) * time.Second) },
		"it stands still":                     func(i int) time.Time { return noon },
		"it is set to and fro":                func(i int) time.Time { return noon.Add(time.Duration(i%2) * time.Millisecond) },
		"it is set back":                      func(i int) time.Time { return noon.Add(-time.Duration(i) * time.Hour) },
		"it counts in less than microseconds": func(i int) time.Time { return noon.Add(time.Duration(i) * 100) },
	} {
		e := newElection(false)
		seen := make(map[time.Time]bool)
		e.begin(0, clock(0))
		e.proceed(0, clock(0), answer{err: errNotFound})
		for i := range 1000 {
			record := e.written
			if at := record.RenewTime.UTC(); seen[at] {
				t.Fatalf("%s: renewal %d looks like one before: %v", name, i, at)
			} else if seen[at] = true; at != at.Truncate(time.Microsecond) {
				t.Fatalf("%s: %v is more exact than a Lease", name, at)
			}
			e.proceed(0, clock(i), answer{})
			if e.begin(0, clock(i)) != update {
				t.Fatal("it does not renew")
			}
		}
	}
}

func TestLeaseIsRecordedInWholeSecondsRoundedUp(t *testing.T) {
	e := newElection(false)
	e.begin(0, wall)
	e.proceed(0, wall, answer{err: errNotFound})
	if e.written.LeaseDurationSeconds != 2 {
		t.Errorf("a lease of %v is recorded as %d s", e.leaseDuration, e.written.LeaseDurationSeconds)
	}
}

func TestAnswerThatComesAfterTheDeadlineMakesNoLeader(t *testing.T) {
	e := newElection(false)
	e.begin(0, wall)
	e.proceed(0, wall, answer{err: errNotFound})
	e.proceed(999*time.Millisecond, wall, answer{})
	if !e.leads(999*time.Millisecond) || e.leads(time.Second) {
		t.Error("the deadline does not count from the request")
	}
}

func TestCoordinatedElectorRenewsOnlyWhatTheServerGaveIt(t *testing.T) {
	acquired := metav1.NewTime(time.Unix(1000, 0).UTC())
	lease := func(holder, preferred string) answer {
		return answer{raw: []byte(holder + preferred), record: &rl.LeaderElectionRecord{
			HolderIdentity: holder, LeaseDurationSeconds: 2, AcquireTime: acquired, LeaderTransitions: 3,
			Strategy: "OldestEmulationVersion", PreferredHolder: preferred,
		}}
	}
	for name, tc := range map[string]struct {
		answer answer
		want   request
	}{
		"no lease":                   {answer{err: errNotFound}, over},
		"another's":                  {lease("b", ""), over},
		"another's, that may end":    {lease("b", "a"), over},
		"nobody's":                   {lease("", ""), over},
		"its own":                    {lease("a", ""), update},
		"its own, and its term ends": {lease("a", "b"), over},
	} {
		e := newElection(true)
		if first := e.begin(0, wall); first != get {
			t.Fatalf("it begins with %s", first)
		}
		got := e.proceed(0, wall, tc.answer)
		if got != tc.want {
			t.Errorf("%s: then %q, want %q", name, got, tc.want)
		}
		if got == update {
			if w := e.written; w.Strategy != "OldestEmulationVersion" || w.LeaderTransitions != 3 || w.AcquireTime != acquired || w.PreferredHolder != "" {
				t.Errorf("%s: it writes %+v", name, w)
			}
		}
		// It is over when nobody has renewed it.
		if e.begin(3*time.Second, wall); e.proceed(3*time.Second, wall, tc.answer) == update && got != update {
			t.Errorf("%s: it takes it over", name)
		}
	}
}

func TestTermThatEndsIsLedToItsDeadline(t *testing.T) {
	e := newElection(true)
	record := rl.LeaderElectionRecord{HolderIdentity: "a", LeaseDurationSeconds: 2}
	e.begin(0, wall)
	e.proceed(0, wall, answer{record: &record, raw: []byte("1")})
	e.proceed(0, wall, answer{})
	ending := record
	ending.PreferredHolder = "b"
	e.begin(500*time.Millisecond, wall)
	if next := e.proceed(500*time.Millisecond, wall, answer{record: &ending, raw: []byte("2")}); next != over {
		t.Errorf("then %s", next)
	}
	if !e.leads(999*time.Millisecond) || e.leads(time.Second) {
		t.Error("it does not lead until the deadline of its last renewal")
	}
}
