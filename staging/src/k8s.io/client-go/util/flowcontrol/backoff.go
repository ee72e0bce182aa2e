package flowcontrol

import (
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Backoff keeps for each key how long to leave it alone. The package comment shows its
// use. The embedded lock is the one that guards the keys.
type Backoff struct {
	sync.RWMutex

	// Clock tells the time of updates. It may be replaced before the first use.
	Clock clock.Clock

	// HasExpiredFunc decides whether a key that was last updated at lastUpdate starts
	// afresh at eventTime, and may be forgotten by GC. By default it does when more than
	// twice maxDuration went by.
	HasExpiredFunc func(eventTime time.Time, lastUpdate time.Time, maxDuration time.Duration) bool

	first, longest time.Duration
	jitter         float64 // how much may be added, as a part of the time
	keys           map[string]standing
}

// standing is what is known of a key.
type standing struct {
	wait    time.Duration
	updated time.Time
}

// NewBackOff returns a backoff that starts at initial and doubles until it is max.
func NewBackOff(initial, max time.Duration) *Backoff {
	return NewBackOffWithJitter(initial, max, 0)
}

// NewBackOffWithJitter is NewBackOff that makes each time longer by a random part of up
// to maxJitterFactor, so that many clients do not come back together. Max holds all the same.
func NewBackOffWithJitter(initial, max time.Duration, maxJitterFactor float64) *Backoff {
	return NewFakeBackOffWithJitter(initial, max, clock.RealClock{}, maxJitterFactor)
}

// NewFakeBackOff is NewBackOff with a clock of the caller's.
func NewFakeBackOff(initial, max time.Duration, tc clock.Clock) *Backoff {
	return NewFakeBackOffWithJitter(initial, max, tc, 0)
}

// NewFakeBackOffWithJitter is NewBackOffWithJitter with a clock of the caller's.
func NewFakeBackOffWithJitter(initial, max time.Duration, tc clock.Clock, maxJitterFactor float64) *Backoff {
	return &Backoff{Clock: tc, first: initial, longest: max, jitter: maxJitterFactor}
}

// Get returns how long to leave id alone after its last update: zero if it is unknown.
func (p *Backoff) Get(id string) time.Duration {
	p.RLock()
	defer p.RUnlock()
	return p.keys[id].wait
}

// Next notes that id failed again at eventTime. The time doubles, or starts afresh
// if the last failure is long ago.
func (p *Backoff) Next(id string, eventTime time.Time) {
	p.Lock()
	defer p.Unlock()
	s, known := p.keys[id]
	switch {
	case !known || s.wait == 0 || p.expired(eventTime, s):
		s.wait = p.first + p.extra(p.first)
	default:
		s.wait = min(2*s.wait+p.extra(s.wait), p.longest)
	}
	s.updated = p.Clock.Now()
	p.set(id, s)
}

// Reset makes the time of id zero. It remembers id, unlike DeleteEntry.
func (p *Backoff) Reset(id string) {
	p.Lock()
	defer p.Unlock()
	p.set(id, standing{updated: p.Clock.Now()})
}

// IsInBackOffSince reports whether something that happened to id at eventTime is so
// recent that id should be left alone now.
func (p *Backoff) IsInBackOffSince(id string, eventTime time.Time) bool {
	p.RLock()
	defer p.RUnlock()
	s, known := p.keys[id]
	return known && !p.expired(eventTime, s) && p.Clock.Since(eventTime) < s.wait
}

// IsInBackOffSinceUpdate reports whether id should be left alone at eventTime, counting
// from its last update.
func (p *Backoff) IsInBackOffSinceUpdate(id string, eventTime time.Time) bool {
	p.RLock()
	defer p.RUnlock()
	s, known := p.keys[id]
	return known && !p.expired(eventTime, s) && eventTime.Sub(s.updated) < s.wait
}

// GC forgets the keys that would start afresh now. A program that uses ever new keys
// should call it from time to time.
func (p *Backoff) GC() {
	p.Lock()
	defer p.Unlock()
	now := p.Clock.Now()
	for id, s := range p.keys {
		if p.expired(now, s) {
			delete(p.keys, id)
		}
	}
}

// DeleteEntry forgets id.
func (p *Backoff) DeleteEntry(id string) {
	p.Lock()
	defer p.Unlock()
	delete(p.keys, id)
}

func (p *Backoff) set(id string, s standing) {
	if p.keys == nil {
		p.keys = map[string]standing{}
	}
	p.keys[id] = s
}

func (p *Backoff) expired(at time.Time, s standing) bool {
	if p.HasExpiredFunc != nil {
		return p.HasExpiredFunc(at, s.updated, p.longest)
	}
	return at.Sub(s.updated) > 2*p.longest
}

func (p *Backoff) extra(wait time.Duration) time.Duration {
	if p.jitter == 0 {
		return 0
	}
	return time.Duration(rand.Float64() * p.jitter * float64(wait))
}
