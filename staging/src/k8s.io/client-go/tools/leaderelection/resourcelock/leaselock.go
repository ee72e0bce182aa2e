package resourcelock

import (
	"context"
	"errors"
	"maps"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// LeaseLock keeps the record in a Lease.
type LeaseLock struct {
	// LeaseMeta has the namespace and the name of the Lease. Nothing else of it
	// is used.
	LeaseMeta  metav1.ObjectMeta
	Client     coordinationv1client.LeasesGetter
	LockConfig ResourceLockConfig

	// Labels are set on the Lease with each write. Other labels stay.
	Labels map[string]string

	// lease is as last read or written: updates are held against its resource
	// version.
	lease *coordinationv1.Lease
}

// Get reads the record from the Lease.
func (ll *LeaseLock) Get(ctx context.Context) (*LeaderElectionRecord, []byte, error) {
	lease, err := ll.leases().Get(ctx, ll.LeaseMeta.Name, metav1.GetOptions{})
	if err != nil {
		return nil, nil, err
	}
	ll.lease = lease
	record := LeaseSpecToLeaderElectionRecord(&lease.Spec)
	raw, err := marshalRecord(record)
	if err != nil {
		return nil, nil, err
	}
	return record, raw, nil
}

// Create makes the Lease. It fails where there is one.
func (ll *LeaseLock) Create(ctx context.Context, ler LeaderElectionRecord) error {
	lease, err := ll.leases().Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: ll.LeaseMeta.Namespace,
			Name:      ll.LeaseMeta.Name,
			Labels:    maps.Clone(ll.Labels),
		},
		Spec: LeaderElectionRecordToLeaseSpec(&ler),
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	ll.lease = lease
	return nil
}

// Update writes the record into the Lease as it was last read or written through
// this lock. It fails where that was never, or where somebody else has written the
// Lease since.
func (ll *LeaseLock) Update(ctx context.Context, ler LeaderElectionRecord) error {
	if ll.lease == nil {
		return errors.New("the lease was not read yet: call Get or Create first")
	}
	// What is known stays as it is if this fails.
	next := ll.lease.DeepCopy()
	next.Spec = LeaderElectionRecordToLeaseSpec(&ler)
	if len(ll.Labels) > 0 {
		if next.Labels == nil {
			next.Labels = make(map[string]string, len(ll.Labels))
		}
		maps.Copy(next.Labels, ll.Labels)
	}
	written, err := ll.leases().Update(ctx, next, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	ll.lease = written
	return nil
}

// RecordEvent records an event on the Lease, if there is a recorder.
func (ll *LeaseLock) RecordEvent(s string) {
	if ll.LockConfig.EventRecorder == nil {
		return
	}
	subject := &coordinationv1.Lease{
		TypeMeta:   metav1.TypeMeta{APIVersion: coordinationv1.SchemeGroupVersion.String(), Kind: "Lease"},
		ObjectMeta: metav1.ObjectMeta{Namespace: ll.LeaseMeta.Namespace, Name: ll.LeaseMeta.Name},
	}
	if ll.lease != nil {
		subject.ObjectMeta = ll.lease.ObjectMeta
	}
	ll.LockConfig.EventRecorder.Eventf(subject, corev1.EventTypeNormal, "LeaderElection", "%s %s", ll.LockConfig.Identity, s)
}

// Describe returns namespace and name of the Lease, with a slash between them.
func (ll *LeaseLock) Describe() string { return ll.LeaseMeta.Namespace + "/" + ll.LeaseMeta.Name }

// Identity returns the candidate's name.
func (ll *LeaseLock) Identity() string { return ll.LockConfig.Identity }

func (ll *LeaseLock) leases() coordinationv1client.LeaseInterface {
	return ll.Client.Leases(ll.LeaseMeta.Namespace)
}
