package resourcelock_test

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func (s *leaseServer) multiLock(t *testing.T, identity string) *resourcelock.MultiLock {
	return &resourcelock.MultiLock{Primary: s.lock(t, "old", identity, nil), Secondary: s.lock(t, "new", identity, nil)}
}

func TestMultiLockWritesBoth(t *testing.T) {
	server := serve(t)
	a := server.multiLock(t, "a")
	ctx := t.Context()
	if err := a.Create(ctx, record("a")); err != nil {
		t.Fatal(err)
	}
	if err := a.Update(ctx, record("a")); err != nil {
		t.Fatal(err)
	}
	delete(server.leases, "new")
	if _, _, err := a.Get(ctx); !apierrors.IsNotFound(err) {
		t.Errorf("the holder reads one of two: %v", err)
	}
	// A holder that has only the primary one gets the other one, too.
	if err := a.Create(ctx, record("a")); err != nil {
		t.Error(err)
	}
	delete(server.leases, "new")
	if err := a.Update(ctx, record("a")); err != nil {
		t.Error(err)
	}
	got, raw, err := a.Get(ctx)
	if err != nil || !same(*got, record("a")) || strings.Count(string(raw), "holderIdentity") != 2 {
		t.Errorf("read %+v, %s, %v", got, raw, err)
	}
	if a.Describe() != "ns/old" || a.Identity() != "a" {
		t.Errorf("it is %s, of %s", a.Describe(), a.Identity())
	}
	if raw := resourcelock.ConcatRawRecord([]byte("1"), []byte("2")); string(raw) != "1,2" {
		t.Errorf("%s", raw)
	}
}

func TestMultiLockIsNotTakenFromWhoHasOne(t *testing.T) {
	server := serve(t)
	ctx := t.Context()
	b := server.multiLock(t, "b")
	// One that knows the old lock alone.
	if err := server.lock(t, "old", "a", nil).Create(ctx, record("a")); err != nil {
		t.Fatal(err)
	}
	if err := b.Create(ctx, record("b")); !apierrors.IsAlreadyExists(err) {
		t.Errorf("create beside it: %v", err)
	}
	if server.leases["new"] != nil {
		t.Error("b has written the new lock, although a holds the old one")
	}
	if got, _, err := b.Get(ctx); err != nil || got.HolderIdentity != "a" {
		t.Errorf("b reads %+v, %v", got, err)
	}
	// And one that knows the new lock alone.
	if err := server.lock(t, "new", "c", nil).Create(ctx, record("c")); err != nil {
		t.Fatal(err)
	}
	got, raw, err := b.Get(ctx)
	if err != nil || got.HolderIdentity != resourcelock.UnknownLeader || !strings.Contains(string(raw), `"c"`) {
		t.Errorf("b reads %+v, %s, %v", got, raw, err)
	}
}
