package resourcelock

import (
	"bytes"
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// MultiLock keeps the record in two locks, for programs that move from one to the
// other. While some candidates know the primary lock alone and others both, only
// who holds both leads among the latter, so that there are no two leaders.
//
// Moving takes two releases of a program: one whose primary lock is the old one,
// and another, after all run the first, that uses the new one alone.
type MultiLock struct {
	Primary   Interface
	Secondary Interface
}

// Get reads both records, and returns the primary one. Where they name different
// holders, the holder is [UnknownLeader]: neither may be overruled before its time is
// over. Where there is no secondary record, because a candidate leads that knows of
// none, the primary one is returned alone.
func (ml *MultiLock) Get(ctx context.Context) (*LeaderElectionRecord, []byte, error) {
	primary, primaryRaw, err := ml.Primary.Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	secondary, secondaryRaw, err := ml.Secondary.Get(ctx)
	switch {
	case apierrors.IsNotFound(err) && primary.HolderIdentity != ml.Identity():
		return primary, primaryRaw, nil
	case err != nil:
		return nil, nil, err
	}
	if primary.HolderIdentity != secondary.HolderIdentity {
		primary.HolderIdentity = UnknownLeader
		if primaryRaw, err = marshalRecord(primary); err != nil {
			return nil, nil, err
		}
	}
	return primary, ConcatRawRecord(primaryRaw, secondaryRaw), nil
}

// Create writes the first record into both locks. The primary one may have a record
// already if this candidate is its holder.
func (ml *MultiLock) Create(ctx context.Context, ler LeaderElectionRecord) error {
	if err := ml.Primary.Create(ctx, ler); err != nil {
		if !apierrors.IsAlreadyExists(err) {
			return err
		}
		there, _, getErr := ml.Primary.Get(ctx)
		if getErr != nil {
			return fmt.Errorf("reading who holds %s: %w", ml.Primary.Describe(), getErr)
		}
		if there.HolderIdentity != ml.Identity() {
			return err
		}
	}
	return ml.Secondary.Create(ctx, ler)
}

// Update replaces both records. The secondary one is created where it is missing.
func (ml *MultiLock) Update(ctx context.Context, ler LeaderElectionRecord) error {
	if err := ml.Primary.Update(ctx, ler); err != nil {
		return err
	}
	switch _, _, err := ml.Secondary.Get(ctx); {
	case apierrors.IsNotFound(err):
		return ml.Secondary.Create(ctx, ler)
	case err != nil:
		return err
	}
	return ml.Secondary.Update(ctx, ler)
}

// RecordEvent records the event on both objects.
func (ml *MultiLock) RecordEvent(s string) {
	ml.Primary.RecordEvent(s)
	ml.Secondary.RecordEvent(s)
}

// Describe is that of the primary lock.
func (ml *MultiLock) Describe() string { return ml.Primary.Describe() }

// Identity is that of the primary lock.
func (ml *MultiLock) Identity() string { return ml.Primary.Identity() }

// ConcatRawRecord returns the raw records of two locks as one, with a comma between.
func ConcatRawRecord(primaryRaw, secondaryRaw []byte) []byte {
	return bytes.Join([][]byte{primaryRaw, secondaryRaw}, []byte(","))
}
