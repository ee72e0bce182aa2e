package leaderelection

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/api/coordination/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
)

// runCandidate runs one, and returns its client and a function that waits until the
// object is as it should be.
func runCandidate(t *testing.T, client *fake.Clientset) (until func(what string, f func(spec v1beta1.LeaseCandidateSpec) bool)) {
	t.Helper()
	c, waiter, err := NewCandidate(client, "default", "one", "lease", "1.36.0", "1.35.0", coordinationv1.OldestEmulationVersion)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	close(closed)
	lease := reflect.TypeFor[*v1beta1.LeaseCandidate]()
	if got := waiter.WaitForCacheSync(closed); len(got) != 1 || got[lease] {
		t.Errorf("before Run its cache has synced: %v", got)
	}
	ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), klog.Logger{}))
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	if got := waiter.WaitForCacheSync(t.Context().Done()); !got[lease] {
		t.Errorf("its cache has not synced: %v", got)
	}
	return func(what string, f func(spec v1beta1.LeaseCandidateSpec) bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			object, err := client.CoordinationV1beta1().LeaseCandidates("default").Get(ctx, "one", metav1.GetOptions{})
			if err == nil && f(object.Spec) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("never %s: %v, %v", what, object, err)
			}
		}
	}
}

func complete(spec v1beta1.LeaseCandidateSpec) bool {
	return spec.LeaseName == "lease" && spec.BinaryVersion == "1.36.0" && spec.EmulationVersion == "1.35.0" &&
		spec.Strategy == coordinationv1.OldestEmulationVersion && spec.RenewTime != nil
}

func TestCandidateIsMadeAndMadeAnew(t *testing.T) {
	client := fake.NewClientset()
	refused := 0
	client.PrependReactor("create", "leasecandidates", func(kubetesting.Action) (bool, runtime.Object, error) {
		refused++
		return refused <= 2, nil, errors.New("not today")
	})
	until := runCandidate(t, client)
	until("made", complete)
	candidates := client.CoordinationV1beta1().LeaseCandidates("default")
	if err := candidates.Delete(t.Context(), "one", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	until("made anew", complete)
}

func TestCandidateOfAnEarlierVersionIsUpdated(t *testing.T) {
	old := metav1.NewMicroTime(time.Unix(1, 0))
	until := runCandidate(t, fake.NewClientset(&v1beta1.LeaseCandidate{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "one"},
		Spec:       v1beta1.LeaseCandidateSpec{LeaseName: "lease", BinaryVersion: "1.35.0", RenewTime: &old},
	}))
	until("updated", func(spec v1beta1.LeaseCandidateSpec) bool {
		return complete(spec) && old.Before(spec.RenewTime)
	})
}

// A server whose clock is ahead of ours gets an answer, too.
func TestPingIsAnswered(t *testing.T) {
	client := fake.NewClientset()
	until := runCandidate(t, client)
	until("made", complete)
	for _, ahead := range []time.Duration{0, time.Hour} {
		candidates := client.CoordinationV1beta1().LeaseCandidates("default")
		object, err := candidates.Get(t.Context(), "one", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ping := metav1.NewMicroTime(time.Now().Add(ahead).Truncate(time.Microsecond))
		object.Spec.PingTime = &ping
		if _, err := candidates.Update(t.Context(), object, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		until("answered", func(spec v1beta1.LeaseCandidateSpec) bool {
			return complete(spec) && spec.PingTime.Equal(&ping) && !spec.RenewTime.Before(&ping)
		})
	}
	writes := 0
	for _, action := range client.Actions() {
		if action.GetVerb() == "create" || action.GetVerb() == "update" {
			writes++
		}
	}
	if writes != 1+2*2 { // two of them the server's
		t.Errorf("%d writes", writes)
	}
}
