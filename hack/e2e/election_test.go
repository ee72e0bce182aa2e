package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/publisher/hack/e2e/faults"
)

// A contender runs an elector again and again, over a connection of its own.
type contender struct {
	name    string
	elector *leaderelection.LeaderElector
	network *faults.TCP
	cancel  context.CancelFunc
}

// contend runs an elector until the test ends or it is cancelled.
func contend(t *testing.T, name string, network *faults.TCP, lock resourcelock.Interface, config leaderelection.LeaderElectionConfig) *contender {
	t.Helper()
	config.Lock = lock
	config.Callbacks = leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) {}, OnStoppedLeading: func() {}}
	elector, err := leaderelection.NewLeaderElector(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			elector.Run(ctx)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return &contender{name, elector, network, cancel}
}

// contenders are n electors for one lease.
func contenders(t *testing.T, n int, config leaderelection.LeaderElectionConfig) []*contender {
	t.Helper()
	cp, ns := ownCluster(t), namespace(t)
	all := make([]*contender, n)
	for i := range all {
		name := fmt.Sprintf("contender-%d", i)
		network, through := throughTCP(t, cp.URL, adminConfig(t))
		lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, ns, "contended",
			resourcelock.ResourceLockConfig{Identity: name}, through, config.RenewDeadline)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = contend(t, name, network, lock, config)
	}
	return all
}

func without(all []*contender, one *contender) []*contender {
	return slices.DeleteFunc(slices.Clone(all), func(c *contender) bool { return c == one })
}

// leader waits until one of the contenders leads.
func leader(t *testing.T, among []*contender) *contender {
	t.Helper()
	var found *contender
	eventually(t, "a leader", func(context.Context) error {
		i := slices.IndexFunc(among, func(c *contender) bool { return c.elector.IsLeader() })
		if i < 0 {
			return fmt.Errorf("none of %d leads", len(among))
		}
		found = among[i]
		return nil
	})
	return found
}

// mustNeverBeTwo looks at the contenders until the function that it returns is called.
func mustNeverBeTwo(t *testing.T, all []*contender) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			for i, one := range all {
				for _, other := range all[i+1:] {
					// They are not asked at the same time. But one that leads before and
					// after another one does led meanwhile, too.
					if one.elector.IsLeader() && other.elector.IsLeader() && one.elector.IsLeader() {
						t.Errorf("%s and %s both lead", one.name, other.name)
						return
					}
				}
			}
			time.Sleep(time.Millisecond)
		}
	})
	return func() { cancel(); watching.Wait() }
}

// TestNeverTwoLead though the leader is cut off from the server, in one way after
// another: then another one leads, and the one from before comes to follow it.
func TestNeverTwoLead(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			all := contenders(t, n, leaderelection.LeaderElectionConfig{
				LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
			})
			stop := mustNeverBeTwo(t, all)
			defer stop()
			for _, partition := range []struct {
				what       string
				begin, end func(*faults.TCP)
			}{
				{"its connections are refused",
					func(p *faults.TCP) { p.Refuse(true); p.ResetAll() },
					func(p *faults.TCP) { p.Refuse(false) }},
				{"what it sends arrives, and it gets no answers",
					func(p *faults.TCP) { p.Stall(true) },
					func(p *faults.TCP) { p.ResetAll(); p.Stall(false) }},
				{"its answers break off",
					func(p *faults.TCP) { p.CutAfter(1000); p.ResetAll() },
					func(p *faults.TCP) { p.CutAfter(-1) }},
			} {
				old := leader(t, all)
				partition.begin(old.network)
				leader(t, without(all, old))
				partition.end(old.network)
				eventually(t, old.name+" knows who leads after "+partition.what, func(context.Context) error {
					if now := leader(t, all).name; old.elector.GetLeader() != now {
						return fmt.Errorf("it takes %q for the leader, which is %s", old.elector.GetLeader(), now)
					}
					return nil
				})
			}
		})
	}
}

// TestLeaseIsHandedOverWhenItsLeaderIsCancelled, and not when it would have run out,
// which is after the test.
func TestLeaseIsHandedOverWhenItsLeaderIsCancelled(t *testing.T) {
	t.Parallel()
	all := contenders(t, 3, leaderelection.LeaderElectionConfig{
		LeaseDuration: time.Hour, RenewDeadline: 30 * time.Minute, RetryPeriod: 200 * time.Millisecond, ReleaseOnCancel: true,
	})
	stop := mustNeverBeTwo(t, all)
	defer stop()
	for left := all; len(left) > 0; {
		first := leader(t, left)
		first.cancel()
		left = without(left, first)
	}
}

// TestServerChoosesAmongCandidates: the one that emulates the oldest version leads, and
// has to make way for one that emulates an older one. One that does not answer is
// passed over.
func TestServerChoosesAmongCandidates(t *testing.T) {
	t.Parallel()
	cp, ns := ownCluster(t), namespace(t)
	stand := func(name, version string) *contender {
		t.Helper()
		network, through := throughTCP(t, cp.URL, adminConfig(t))
		through.Timeout = time.Second
		cs, err := kubernetes.NewForConfig(through)
		if err != nil {
			t.Fatal(err)
		}
		candidate, cached, err := leaderelection.NewCandidate(cs, ns, name, "coordinated", version, version, coordinationv1.OldestEmulationVersion)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { candidate.Run(ctx) })
		t.Cleanup(func() { cancel(); running.Wait() })
		for kind, synced := range cached.WaitForCacheSync(deadline(t).Done()) {
			if !synced {
				t.Fatalf("%s: no cache of %v", name, kind)
			}
		}
		lock := &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: ns, Name: "coordinated"},
			Client:     cs.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: name},
		}
		return contend(t, name, network, lock, leaderelection.LeaderElectionConfig{
			LeaseDuration: 5 * time.Second, RenewDeadline: 3 * time.Second, RetryPeriod: 500 * time.Millisecond, Coordinated: true,
		})
	}
	newer := stand("newer", "1.35.0")
	leader(t, []*contender{newer})
	older := stand("older", "1.34.0")
	both := []*contender{newer, older}
	stop := mustNeverBeTwo(t, both)
	defer stop()
	leader(t, []*contender{older})
	older.network.Refuse(true)
	older.network.ResetAll()
	leader(t, []*contender{newer})
}
