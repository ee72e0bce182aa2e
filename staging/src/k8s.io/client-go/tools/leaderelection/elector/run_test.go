package elector

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	rl "k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// candidate is an elector with its link, and what it is told.
type candidate struct {
	*LeaderElector
	link    *link
	leading atomic.Bool // its work goes on
	cancel  context.CancelFunc
	done    chan struct{}
}

func config(lock rl.Interface) LeaderElectionConfig {
	return LeaderElectionConfig{
		Lock: lock, Name: "x",
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		Callbacks: LeaderCallbacks{OnStartedLeading: func(context.Context) {}, OnStoppedLeading: func() {}},
	}
}

// start runs an elector. With again it runs whenever it has stopped, until the test
// ends.
func start(t *testing.T, server *leaseServer, identity string, again bool, change ...func(*LeaderElectionConfig)) *candidate {
	t.Helper()
	c := &candidate{link: &link{server: server, identity: identity}, done: make(chan struct{})}
	cfg := config(c.link)
	cfg.Callbacks.OnStartedLeading = func(ctx context.Context) {
		c.leading.Store(true)
		<-ctx.Done()
		c.leading.Store(false)
	}
	for _, f := range change {
		f(&cfg)
	}
	var err error
	if c.LeaderElector, err = NewLeaderElector(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), klog.Logger{}))
	c.cancel = cancel
	go func() {
		defer close(c.done)
		for c.Run(ctx); again && ctx.Err() == nil; c.Run(ctx) {
		}
	}()
	t.Cleanup(func() { cancel(); <-c.done })
	return c
}

func leading(all []*candidate) (who []string) {
	for _, c := range all {
		if c.leading.Load() != c.IsLeader() {
			who = append(who, fmt.Sprintf("%s: its work goes on: %v, it leads: %v", c.link.identity, c.leading.Load(), c.IsLeader()))
		} else if c.IsLeader() {
			who = append(who, c.link.identity)
		}
	}
	return who
}

func TestWorkOfTwoLeadersNeverOverlaps(t *testing.T) {
	for _, n := range []int{2, 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, uint64(n)))
				var server leaseServer
				var all []*candidate
				for i := range n {
					all = append(all, start(t, &server, name(i+1), true))
				}
				ledBy := make(map[string]int)
				seconds := 0
				for range 500 {
					c := all[random.IntN(n)]
					slow := time.Duration(random.IntN(8000)) * time.Millisecond
					c.link.set(func(l *link) {
						l.cut = random.IntN(3) == 0
						l.latency = func() time.Duration { return rand.N(slow + 1) }
					})
					for range random.IntN(60) {
						time.Sleep(500 * time.Millisecond)
						synctest.Wait()
						who := leading(all)
						if len(who) > 1 {
							t.Fatalf("after %d half-seconds these lead: %q", seconds, who)
						}
						for _, w := range who {
							ledBy[w]++
						}
						seconds++
					}
				}
				t.Logf("of %d half-seconds, each has led in: %v", seconds, ledBy)
				if len(ledBy) != n {
					t.Errorf("only these have ever led: %v", ledBy)
				}
			})
		})
	}
}

func TestAnotherTakesOverWhenTheLeaseIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server leaseServer
		a := start(t, &server, "a", true)
		synctest.Wait()
		b := start(t, &server, "b", true)
		time.Sleep(time.Minute)
		if who := leading([]*candidate{a, b}); !slices.Equal(who, []string{"a"}) {
			t.Fatalf("these lead: %q", who)
		}
		if record := server.record; record.LeaseDurationSeconds != 15 || !record.RenewTime.After(record.AcquireTime.Time) {
			t.Errorf("a has written %+v", record)
		}
		a.link.set(func(l *link) { l.cut = true })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if who := leading([]*candidate{a, b}); len(who) != 0 {
			t.Errorf("a deadline after it was cut off, these lead: %q", who)
		}
		time.Sleep(30 * time.Second) // a late write, the lease, two jittered periods
		synctest.Wait()
		if who := leading([]*candidate{a, b}); !slices.Equal(who, []string{"b"}) {
			t.Errorf("after the lease, these lead: %q", who)
		}
		if n := server.record.LeaderTransitions; n != 1 {
			t.Errorf("%d transitions", n)
		}
		if a.GetLeader() != "a" || b.GetLeader() != "b" {
			t.Errorf("a, cut off, says that %q leads; b says %q", a.GetLeader(), b.GetLeader())
		}
	})
}

func TestWorkEndsInTimeEvenIfARequestDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, &leaseServer{}, "a", false)
		synctest.Wait()
		c.link.set(func(l *link) { l.deaf = true })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if c.leading.Load() || c.IsLeader() {
			t.Errorf("work goes on: %v; leads: %v", c.leading.Load(), c.IsLeader())
		}
	})
}

func TestReleasedLeaseIsTakenAtTheNextLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server leaseServer
		a := start(t, &server, "a", false, func(c *LeaderElectionConfig) { c.ReleaseOnCancel = true })
		synctest.Wait()
		b := start(t, &server, "b", false)
		time.Sleep(time.Minute)
		a.cancel()
		<-a.done
		if holder := server.holder(); holder != "" {
			t.Fatalf("%q holds the lease", holder)
		}
		if a.IsLeader() || a.GetLeader() != "" {
			t.Errorf("a, which has released: leads %v, says that %q does", a.IsLeader(), a.GetLeader())
		}
		time.Sleep(4400 * time.Millisecond) // a jittered period
		synctest.Wait()
		if !b.leading.Load() {
			t.Error("b does not lead")
		}
		if want := []string{"became leader", "stopped leading"}; !slices.Equal(a.link.events, want) {
			t.Errorf("events %q, want %q", a.link.events, want)
		}
	})
}

func TestOnlyACancelReleases(t *testing.T) {
	release := func(c *LeaderElectionConfig) { c.ReleaseOnCancel = true }
	t.Run("not a lost lease", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var server leaseServer
			c := start(t, &server, "a", false, release)
			synctest.Wait()
			c.link.set(func(l *link) { l.cut = true })
			<-c.done
			c.link.set(func(l *link) { l.cut = false })
			time.Sleep(time.Minute)
			if holder := server.holder(); holder != "a" {
				t.Errorf("%q holds the lease", holder)
			}
		})
	})
	t.Run("not without the option", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var server leaseServer
			c := start(t, &server, "a", false)
			synctest.Wait()
			c.cancel()
			<-c.done
			if holder := server.holder(); holder != "a" {
				t.Errorf("%q holds the lease", holder)
			}
			if c.IsLeader() {
				t.Error("it leads, although Run has returned")
			}
		})
	})
	t.Run("a lease that was taken without knowing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var server leaseServer
			c := start(t, &server, "a", false, release, func(c *LeaderElectionConfig) {
				c.Lock.(*link).latency = func() time.Duration { return time.Second }
			})
			time.Sleep(3500 * time.Millisecond) // looked, and written; the answer is on its way
			if holder := server.holder(); holder != "a" || c.IsLeader() {
				t.Fatalf("%q holds the lease, and leads: %v", holder, c.IsLeader())
			}
			c.cancel()
			<-c.done
			if holder := server.holder(); holder != "" {
				t.Errorf("%q holds the lease", holder)
			}
		})
	})
}

func TestLeaderStopsAtOnceWhenItSeesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server leaseServer
		c := start(t, &server, "a", false)
		synctest.Wait()
		// Somebody edits the lease by hand.
		if _, err := server.write(server.version, rl.LeaderElectionRecord{HolderIdentity: "b", LeaseDurationSeconds: 15}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if c.leading.Load() {
			t.Error("a leads, a period after b was written into the lease")
		}
		<-c.done
	})
}

func TestNewLeadersAreReportedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server leaseServer
		var mu sync.Mutex
		var seen []string
		watcher := start(t, &server, "z", false, func(c *LeaderElectionConfig) {
			c.LeaseDuration = 1000 * time.Second // it never takes over
			c.Callbacks.OnNewLeader = func(identity string) {
				time.Sleep(7 * time.Second) // longer than it takes until the next
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, identity)
			}
			c.Lock.(*link).cut = true
		})
		write := func(holder string) {
			server.write(server.version, rl.LeaderElectionRecord{HolderIdentity: holder, LeaseDurationSeconds: 1000})
			time.Sleep(5 * time.Second)
		}
		write("a")
		watcher.link.set(func(l *link) { l.cut = false })
		time.Sleep(15 * time.Second)
		for _, holder := range []string{"b", "b", "a"} {
			write(holder)
		}
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"a", "b", "a"}; !slices.Equal(seen, want) {
			t.Errorf("reported %q, want %q", seen, want)
		}
	})
}

func TestHealthFailsWhereTheLeaseWasLostAndTheProgramGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := NewLeaderHealthzAdaptor(5 * time.Second)
		if err := check.Check(&http.Request{}); err != nil {
			t.Errorf("before there is an elector: %v", err)
		}
		c := start(t, &leaseServer{}, "a", false)
		check.SetLeaderElection(c.LeaderElector)
		time.Sleep(time.Hour)
		if err := check.Check(nil); err != nil {
			t.Errorf("of a leader: %v", err)
		}
		c.link.set(func(l *link) { l.cut = true })
		time.Sleep(18 * time.Second)
		if err := check.Check(nil); err != nil {
			t.Errorf("within what is tolerated: %v", err)
		}
		time.Sleep(4 * time.Second)
		if err := check.Check(nil); err == nil || !strings.Contains(err.Error(), "lease x was lost") {
			t.Errorf("after it: %v", err)
		}
	})
}

type countingMetric struct{ calls []string }

func (m *countingMetric) On(name string)                { m.calls = append(m.calls, "on "+name) }
func (m *countingMetric) Off(name string)               { m.calls = append(m.calls, "off "+name) }
func (m *countingMetric) SlowpathExercised(name string) { m.calls = append(m.calls, "slow "+name) }
func (m *countingMetric) NewLeaderMetric() LeaderMetric { return m }

func TestMetricsTellWhoLeads(t *testing.T) {
	var metric countingMetric
	SetProvider(&metric)
	SetProvider(nil) // without effect
	t.Cleanup(func() { provider.MetricsProvider = nil })
	synctest.Test(t, func(t *testing.T) {
		var server leaseServer
		c := start(t, &server, "a", false)
		synctest.Wait()
		// Somebody edits the lease, but not its holder.
		server.write(server.version, *server.record)
		time.Sleep(3 * time.Second)
		c.cancel()
		<-c.done
		if want := []string{"off x", "on x", "slow x", "off x"}; !slices.Equal(metric.calls, want) {
			t.Errorf("calls %q, want %q", metric.calls, want)
		}
	})
}

func TestConfigThatCannotWorkIsRefused(t *testing.T) {
	good := config(&link{identity: "a"})
	if _, err := NewLeaderElector(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*LeaderElectionConfig){
		"LeaseDuration, 10s, must be more than RenewDeadline": func(c *LeaderElectionConfig) { c.LeaseDuration = c.RenewDeadline },
		"RenewDeadline, 10s, must be more than 1.2 times":     func(c *LeaderElectionConfig) { c.RetryPeriod = 9 * time.Second },
		"LeaseDuration is 0s":                                 func(c *LeaderElectionConfig) { c.LeaseDuration = 0 },
		"RenewDeadline is -1ns":                               func(c *LeaderElectionConfig) { c.RenewDeadline = -1 },
		"RetryPeriod is 0s":                                   func(c *LeaderElectionConfig) { c.RetryPeriod = 0 },
		"OnStartedLeading":                                    func(c *LeaderElectionConfig) { c.Callbacks.OnStartedLeading = nil },
		"OnStoppedLeading":                                    func(c *LeaderElectionConfig) { c.Callbacks.OnStoppedLeading = nil },
		"Lock is nil":                                         func(c *LeaderElectionConfig) { c.Lock = nil },
		"leader election: the lock has no iden":               func(c *LeaderElectionConfig) { c.Lock = &link{} },
	} {
		c := good
		change(&c)
		if _, err := NewLeaderElector(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("RunOrDie runs with a config that cannot work")
		}
	}()
	RunOrDie(t.Context(), LeaderElectionConfig{})
}

func TestOnStoppedLeadingIsCalledEvenWithoutALeader(t *testing.T) {
	ctx, cancel := context.WithCancelCause(klog.NewContext(t.Context(), klog.Logger{}))
	cancel(errors.New("no need"))
	stopped := false
	c := config(&link{server: &leaseServer{}, identity: "a"})
	c.Callbacks.OnStoppedLeading = func() { stopped = true }
	c.WatchDog = NewLeaderHealthzAdaptor(0)
	RunOrDie(ctx, c)
	if !stopped || c.WatchDog.le == nil {
		t.Errorf("told that it has stopped: %v; the watch dog knows of it: %v", stopped, c.WatchDog.le != nil)
	}
}
