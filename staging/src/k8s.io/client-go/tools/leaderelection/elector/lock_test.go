package elector

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	rl "k8s.io/client-go/tools/leaderelection/resourcelock"
)

// leaseServer has one record, which each write gives a new version, as an API server
// does.
type leaseServer struct {
	mu      sync.Mutex
	version int
	record  *rl.LeaderElectionRecord
	written []rl.LeaderElectionRecord
}

var leases = schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}

func (s *leaseServer) get() (int, *rl.LeaderElectionRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.record == nil {
		return 0, nil, apierrors.NewNotFound(leases, "x")
	}
	record := *s.record
	return s.version, &record, nil
}

// write replaces the record of a version; version 0 is that there is none.
func (s *leaseServer) write(version int, record rl.LeaderElectionRecord) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case version == 0 && s.record != nil:
		return 0, apierrors.NewAlreadyExists(leases, "x")
	case version != 0 && s.record == nil:
		return 0, apierrors.NewNotFound(leases, "x")
	case version != 0 && version != s.version:
		return 0, apierrors.NewConflict(leases, "x", errors.New("written since"))
	}
	s.version++
	s.record = &record
	s.written = append(s.written, record)
	return s.version, nil
}

func (s *leaseServer) holder() string {
	if _, record, err := s.get(); err == nil {
		return record.HolderIdentity
	}
	return ""
}

// link is a lock, and the network between it and the server.
type link struct {
	server   *leaseServer
	identity string

	mu      sync.Mutex
	cut     bool                 // nothing arrives in either direction
	deaf    bool                 // requests ignore their contexts
	latency func() time.Duration // of each direction
	events  []string

	version int
}

func (l *link) set(f func(*link)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l)
}

// travel takes the time of one direction. A message that is lost takes until the
// sender gives up.
func (l *link) travel(ctx context.Context) error {
	l.mu.Lock()
	cut, deaf, latency := l.cut, l.deaf, time.Duration(0)
	if l.latency != nil {
		latency = l.latency()
	}
	l.mu.Unlock()
	if deaf {
		time.Sleep(time.Hour)
	}
	if cut {
		<-ctx.Done()
		return ctx.Err()
	}
	sleep(ctx, latency)
	return ctx.Err()
}

func (l *link) Get(ctx context.Context) (*rl.LeaderElectionRecord, []byte, error) {
	if err := l.travel(ctx); err != nil {
		return nil, nil, err
	}
	version, record, err := l.server.get()
	if lost := l.travel(ctx); lost != nil {
		return nil, nil, lost
	}
	if err != nil {
		return nil, nil, err
	}
	l.version = version
	raw, err := json.Marshal(version)
	return record, raw, err
}

func (l *link) Create(ctx context.Context, record rl.LeaderElectionRecord) error {
	return l.write(ctx, 0, record)
}

func (l *link) Update(ctx context.Context, record rl.LeaderElectionRecord) error {
	return l.write(ctx, l.version, record)
}

func (l *link) write(ctx context.Context, version int, record rl.LeaderElectionRecord) error {
	if err := l.travel(ctx); err != nil {
		if rand.IntN(2) == 0 { // it arrives all the same, later
			time.AfterFunc(rand.N(10*time.Second), func() { l.server.write(version, record) })
		}
		return err
	}
	next, err := l.server.write(version, record)
	if lost := l.travel(ctx); lost != nil {
		return lost
	}
	if err == nil {
		l.version = next
	}
	return err
}

func (l *link) RecordEvent(s string) { l.set(func(l *link) { l.events = append(l.events, s) }) }
func (l *link) Identity() string     { return l.identity }
func (l *link) Describe() string     { return "default/x" }
