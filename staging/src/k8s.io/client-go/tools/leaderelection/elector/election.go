package elector

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	rl "k8s.io/client-go/tools/leaderelection/resourcelock"
)

// An election is what one candidate knows and how it decides. It asks nobody and
// waits for nothing: [election.begin] tells the first request to make of the lock,
// [election.proceed] takes the answer and tells the next one, until the attempt is
// over. So a test can take it through everything that may happen.
//
//	begin ──▶ update ──failed──▶ get ──▶ update ──▶ over
//	    │     (leads, as far     ▲ │ └─▶ create ──▶ over
//	    │      as it knows)      │ └─▶ over
//	    └────────────────────────┘
//
// It gets the time in two forms. Now is time since the elector was made, on a clock
// that cannot be set: everything is decided by it. Wall is what the clock on the
// wall shows: it goes into the record for people to read.
type election struct {
	identity                     string
	leaseDuration, renewDeadline time.Duration
	coordinated                  bool // the server chooses the leader

	// The record as last read or written, and since when it looks like that. Raw
	// is empty after a write of ours, so that the next look finds a change.
	known   bool
	record  rl.LeaderElectionRecord
	raw     string
	changed time.Duration
	missing bool // it was there, and is no more

	// leadsUntil is when we stop to lead unless we renew before, or 0.
	leadsUntil time.Duration
	// unsure is set while a write of ours may have succeeded without our knowing.
	unsure bool

	// The attempt under way.
	request   request
	written   rl.LeaderElectionRecord // what an update or a create asks for
	sent      time.Duration
	direct    bool // an update without a look before
	releasing bool
}

// request is what to ask of the lock.
type request string

const (
	over   request = "" // the attempt has ended
	get    request = "get"
	create request = "create"
	update request = "update"
)

// answer is the lock's. Record and raw are those of a get without error.
type answer struct {
	record *rl.LeaderElectionRecord
	raw    []byte
	err    error
}

// leads reports whether the candidate may take itself for the leader.
func (e *election) leads(now time.Duration) bool { return now < e.leadsUntil }

// holder returns whose name is in the record, as far as known.
func (e *election) holder() string { return e.record.HolderIdentity }

// begin starts an attempt to become the leader, or to stay it.
func (e *election) begin(now time.Duration, wall time.Time) request {
	e.releasing, e.direct = false, false
	// A leader knows the record: it wrote it. One that the server has chosen looks
	// whether it is to go on.
	if e.leads(now) && !e.coordinated {
		e.direct = true
		return e.write(update, e.renewal(wall), now)
	}
	return e.ask(get, now)
}

// beginRelease starts to give the lease up. From here on the candidate does not lead.
func (e *election) beginRelease(now time.Duration, wall time.Time) request {
	e.stop()
	e.releasing, e.direct = true, false
	switch {
	case e.unsure:
		return e.ask(get, now)
	case e.known && e.holder() == e.identity:
		e.direct = true
		return e.write(update, e.released(wall), now)
	}
	return over
}

// stop makes the candidate a follower.
func (e *election) stop() { e.leadsUntil = 0 }

// proceed takes the answer to the request at hand, and tells the next one.
func (e *election) proceed(now time.Duration, wall time.Time, a answer) request {
	direct := e.direct
	e.direct = false
	switch {
	case e.request != get && a.err == nil:
		e.wrote(now)
		return e.ask(over, now)
	case e.request != get:
		e.unsure = true
		if direct {
			return e.ask(get, now) // somebody else may have written
		}
		return e.ask(over, now)
	case apierrors.IsNotFound(a.err):
		return e.sawNothing(now, wall)
	case a.err != nil:
		return e.ask(over, now)
	}
	e.saw(a, now)
	switch {
	case e.releasing && e.holder() == e.identity:
		return e.write(update, e.released(wall), now)
	case e.releasing:
		return e.ask(over, now)
	case e.coordinated && e.mayRenew(now), !e.coordinated && e.holder() == e.identity:
		return e.write(update, e.renewal(wall), now)
	case !e.coordinated && (e.holder() == "" || e.expired(now)):
		claim := e.claim(wall)
		claim.LeaderTransitions = e.record.LeaderTransitions + 1
		return e.write(update, claim, now)
	}
	return e.ask(over, now)
}

// saw takes in a record that was read.
func (e *election) saw(a answer, now time.Duration) {
	e.unsure = false
	if raw := string(a.raw); !e.known || e.missing || raw != e.raw {
		e.known, e.missing = true, false
		e.record, e.raw, e.changed = *a.record, raw, now
	}
	if e.holder() != e.identity {
		e.stop()
	}
}

// sawNothing takes in that there is no record, and decides whether to make one. Who
// deletes a lease does not stop its holder, so whoever has known it waits until the
// holder, whom it may not have seen, has stopped or made it anew.
func (e *election) sawNothing(now time.Duration, wall time.Time) request {
	e.unsure = false
	if e.known && !e.missing {
		e.missing, e.changed = true, now
	}
	switch {
	case e.releasing || e.coordinated:
	case !e.known, e.leads(now), e.expired(now):
		return e.write(create, e.claim(wall), now)
	}
	return e.ask(over, now)
}

// wrote takes in that the write at hand has succeeded.
func (e *election) wrote(now time.Duration) {
	e.known, e.missing, e.unsure = true, false, false
	e.record, e.raw, e.changed = e.written, "", now
	if e.releasing {
		return
	}
	// Others may have seen it as soon as it was sent.
	e.leadsUntil = e.sent + e.renewDeadline
}

// expired reports whether the record has not changed for as long as its holder said,
// or is missing for as long as we would say.
func (e *election) expired(now time.Duration) bool {
	lease := time.Duration(e.record.LeaseDurationSeconds) * time.Second
	if lease <= 0 || e.missing {
		lease = e.leaseDuration
	}
	return now >= e.changed+lease
}

// mayRenew reports whether the server wants the candidate to lead on. An end of the
// term is announced by somebody's preference for another: the lease is to run out.
func (e *election) mayRenew(now time.Duration) bool {
	preferred := e.record.PreferredHolder
	return e.holder() == e.identity && !e.expired(now) && (preferred == "" || preferred == e.identity)
}

func (e *election) ask(r request, now time.Duration) request {
	e.request, e.sent = r, now
	return r
}

func (e *election) write(r request, record rl.LeaderElectionRecord, now time.Duration) request {
	e.written = record
	return e.ask(r, now)
}

// claim returns the record of a new leader.
func (e *election) claim(wall time.Time) rl.LeaderElectionRecord {
	at := e.stamp(wall)
	return rl.LeaderElectionRecord{
		HolderIdentity: e.identity,
		// Rounded up, as others must not wait for less than we count on.
		LeaseDurationSeconds: int((e.leaseDuration + time.Second - 1) / time.Second),
		AcquireTime:          at,
		RenewTime:            at,
	}
}

// renewal returns the record of a leader that goes on.
func (e *election) renewal(wall time.Time) rl.LeaderElectionRecord {
	next := e.claim(wall)
	next.AcquireTime = e.record.AcquireTime
	next.LeaderTransitions = e.record.LeaderTransitions
	if e.coordinated {
		next.Strategy = e.record.Strategy
	}
	return next
}

// released returns the record of a lease that is up for grabs.
func (e *election) released(wall time.Time) rl.LeaderElectionRecord {
	next := e.claim(wall)
	next.HolderIdentity = ""
	next.LeaseDurationSeconds = 1 // the least that a server allows
	next.LeaderTransitions = e.record.LeaderTransitions
	next.Strategy = e.record.Strategy
	return next
}

// stamp returns the time to write into the record: the wall's, but later than the
// time in the record where that is close. A clock that stands still, or was set
// back a little, must not make a record look as it did before, for then nobody would
// see that it was renewed.
func (e *election) stamp(wall time.Time) metav1.Time {
	wall = wall.Truncate(time.Microsecond)
	if last := e.record.RenewTime.Truncate(time.Microsecond); !last.Before(wall) && last.Sub(wall) < time.Second {
		wall = last.Add(time.Microsecond)
	}
	return metav1.NewTime(wall)
}

// renewsAfterLook reports whether the write at hand is that of the record's holder,
// who had to look at it first.
func (e *election) renewsAfterLook() bool {
	return !e.direct && !e.releasing && e.holder() == e.identity
}
