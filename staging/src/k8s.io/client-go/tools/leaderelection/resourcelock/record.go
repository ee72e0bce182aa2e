package resourcelock

import (
	"encoding/json"
	"fmt"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LeaderElectionRecordAnnotationKey is the annotation in which locks of earlier
// versions kept the record.
const LeaderElectionRecordAnnotationKey = "control-plane.alpha.kubernetes.io/leader"

// UnknownLeader is the holder that a [MultiLock] tells where its two locks name
// different ones.
const UnknownLeader = "leaderelection.k8s.io/unknown"

// LeaderElectionRecord is what candidates tell each other through a lock.
//
// The times in it were read from clocks of other machines. They are good to look
// at; a candidate decides by when it saw the record change, on a clock of its own.
type LeaderElectionRecord struct {
	// HolderIdentity is who leads. Empty: nobody, and whoever wants to may try.
	HolderIdentity string `json:"holderIdentity"`
	// LeaseDurationSeconds is for how long after the last change that they saw
	// others must leave the record alone.
	LeaseDurationSeconds int `json:"leaseDurationSeconds"`
	// AcquireTime is when the holder became the leader.
	AcquireTime metav1.Time `json:"acquireTime"`
	// RenewTime is when the holder last wrote the record.
	RenewTime metav1.Time `json:"renewTime"`
	// LeaderTransitions is how often another became the leader.
	LeaderTransitions int `json:"leaderTransitions"`
	// Strategy is how the server chooses among candidates, if it does.
	Strategy coordinationv1.CoordinatedLeaseStrategy `json:"strategy"`
	// PreferredHolder is who should lead in the holder's place, as the server
	// sees it. The holder is then to let the lease run out.
	PreferredHolder string `json:"preferredHolder"`
}

// LeaseSpecToLeaderElectionRecord returns the record that a Lease holds.
func LeaseSpecToLeaderElectionRecord(spec *coordinationv1.LeaseSpec) *LeaderElectionRecord {
	return &LeaderElectionRecord{
		HolderIdentity:       orZero(spec.HolderIdentity),
		LeaseDurationSeconds: int(orZero(spec.LeaseDurationSeconds)),
		AcquireTime:          metav1.Time(orZero(spec.AcquireTime)),
		RenewTime:            metav1.Time(orZero(spec.RenewTime)),
		LeaderTransitions:    int(orZero(spec.LeaseTransitions)),
		Strategy:             orZero(spec.Strategy),
		PreferredHolder:      orZero(spec.PreferredHolder),
	}
}

func orZero[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

// LeaderElectionRecordToLeaseSpec returns the spec of a Lease that holds the
// record. Strategy and preferred holder are left out where they are empty.
func LeaderElectionRecordToLeaseSpec(ler *LeaderElectionRecord) coordinationv1.LeaseSpec {
	spec := coordinationv1.LeaseSpec{
		HolderIdentity:       new(ler.HolderIdentity),
		LeaseDurationSeconds: new(int32(ler.LeaseDurationSeconds)),
		AcquireTime:          new(metav1.MicroTime(ler.AcquireTime)),
		RenewTime:            new(metav1.MicroTime(ler.RenewTime)),
		LeaseTransitions:     new(int32(ler.LeaderTransitions)),
	}
	if ler.Strategy != "" {
		spec.Strategy = new(ler.Strategy)
	}
	if ler.PreferredHolder != "" {
		spec.PreferredHolder = new(ler.PreferredHolder)
	}
	return spec
}

// rawRecord is a record as [Interface.Get] returns it raw. Its times are to the
// microsecond, as a Lease has them. Whole seconds would hide that a lease was
// renewed twice within one, and a renewal is known by nothing but a change.
type rawRecord struct {
	LeaderElectionRecord
	AcquireTime metav1.MicroTime `json:"acquireTime"`
	RenewTime   metav1.MicroTime `json:"renewTime"`
}

func marshalRecord(record *LeaderElectionRecord) ([]byte, error) {
	raw, err := json.Marshal(rawRecord{*record, metav1.MicroTime(record.AcquireTime), metav1.MicroTime(record.RenewTime)})
	if err != nil {
		return nil, fmt.Errorf("encoding the record of a leader election: %w", err)
	}
	return raw, nil
}
