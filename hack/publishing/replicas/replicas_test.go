package replicas

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/publisher/gitserver"
)

// rounds is how many syncs are disturbed. ROUNDS takes another number.
func rounds(t *testing.T) int {
	n := 50
	if text := os.Getenv("ROUNDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestRemotesAreThoseOfAnUndisturbedRunWhateverIsKilled: in each round something new
// is in the source, a run is asked for, and at a random moment of it the leader is
// killed, or the other one, or the network fails.
func TestRemotesAreThoseOfAnUndisturbedRunWhateverIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.replica("a"), w.replica("b")
	w.mustArrive()
	seed := uint64(time.Now().UnixNano())
	t.Logf("the seed is %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	var published []string // what was ever seen at the remotes
	done := make(map[string]int)
	for range rounds(t) {
		w.change()
		leads, other := w.leader(a, b)
		asked := []*replica{leads, other}[chance.IntN(2)]
		if err := asked.request(); err != nil {
			t.Fatal(err)
		}
		wait := time.Duration(chance.IntN(800)) * time.Millisecond
		fault := []string{"leader", "leader", "other", "connection", "answer", "none"}[chance.IntN(6)]
		done[fault]++
		switch fault {
		case "leader", "other":
			time.Sleep(wait)
			victim := leads
			if fault == "other" {
				victim = other
			}
			victim.kill()
			victim.start()
		case "connection":
			w.cutOnce(int64(chance.IntN(2000)))
		case "answer":
			w.server.Set(func(s *gitserver.HTTP) { s.Lose = 1 })
		}
		if chance.IntN(2) == 0 {
			// The next round finds this one's work under way.
			time.Sleep(wait)
			published = append(published, w.have())
			continue
		}
		w.mustArrive()
		published = append(published, w.have())
	}
	// Whose last request was killed with who took it publishes at the latest when it
	// is asked again.
	leads, _ := w.leader(a, b)
	w.eventually("a request", leads.request)
	w.mustArrive()
	t.Logf("%v; %d processes were started", done, w.started)
	w.mustHaveMovedForward(published)
	w.mustBeWhole()
	w.mustHaveToldNothing(a, b)
}

// cutOnce ends the connection of the next push after some bytes.
func (w *world) cutOnce(after int64) {
	var once sync.Once
	w.server.Set(func(s *gitserver.HTTP) {
		s.Intercept = func(rw http.ResponseWriter, r *http.Request) bool {
			cut := false
			if gitserver.IsPush(r) {
				once.Do(func() { cut = true })
			}
			if cut {
				gitserver.Cut(rw, r, after)
			}
			return true
		}
	})
}

// mustHaveMovedForward: tags are where they were seen at any time, and branches go on
// from there.
func (w *world) mustHaveMovedForward(published []string) {
	w.Helper()
	now := w.have()
	for _, seen := range published {
		for line := range strings.Lines(seen) {
			destination, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			id, ref, _ := strings.Cut(rest, " ")
			if strings.HasPrefix(ref, "refs/tags/") {
				if !strings.Contains(now, line) {
					w.Errorf("a tag has moved: it was %s", line)
				}
				continue
			}
			w.git("", "-C", w.remotes.Dir(destination), "merge-base", "--is-ancestor", id, ref)
		}
	}
}

// mustBeWhole has git and the publisher look at the remotes.
func (w *world) mustBeWhole() {
	w.Helper()
	for _, d := range destinations {
		w.git("", "-C", w.remotes.Dir(d), "fsck", "--full", "--strict", "--no-dangling")
	}
}

// mustHaveToldNothing looks for the secret in all that replicas wrote.
func (w *world) mustHaveToldNothing(all ...*replica) {
	w.Helper()
	for _, r := range all {
		if strings.Contains(r.log.String(), canary) {
			w.Errorf("%s logs the secret", r.name)
		}
	}
	w.must(filepath.WalkDir(w.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Dir(path) == w.dir {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(data), canary) {
			w.Errorf("the secret is in %s", path)
		}
		return err
	}))
}

// TestPausedLeaderCannotHarm pauses the leader in the middle of a push: its request is
// on the way, and arrives when another one has long taken over and published more.
func TestPausedLeaderCannotHarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.replica("a"), w.replica("b")
	w.mustArrive()
	leads, other := w.leader(a, b)

	// The first push of the leader is held back.
	held, let := make(chan struct{}), make(chan struct{})
	t.Cleanup(sync.OnceFunc(func() {
		select {
		case <-let:
		default:
			close(let)
		}
	}))
	var first atomic.Bool
	w.server.Set(func(s *gitserver.HTTP) {
		s.Intercept = func(_ http.ResponseWriter, r *http.Request) bool {
			if gitserver.IsPush(r) && first.CompareAndSwap(false, true) {
				close(held)
				<-let
			}
			return true
		}
	})
	w.change()
	w.must(leads.request())
	<-held
	leads.signal(syscall.SIGSTOP)

	// The other one takes over, and publishes this and more.
	if now, _ := w.leader(other); now != other {
		t.Fatal("nobody takes over")
	}
	w.change()
	w.must(other.request())
	w.mustArrive()
	want := w.have()

	// Now the first one's push arrives, and then it wakes up.
	close(let)
	leads.signal(syscall.SIGCONT)
	w.eventually("the leader that was paused notices", func() error {
		if !strings.Contains(leads.log.String(), "no longer leads") && !strings.Contains(leads.log.String(), "the run has failed") {
			return fmt.Errorf("its log is\n%s", leads.log)
		}
		return nil
	})
	if have := w.have(); have != want {
		t.Errorf("the remotes have\n%s\nand had\n%s", have, want)
	}
	// Both go on.
	w.change()
	w.must(leads.request())
	w.mustArrive()
	w.mustBeWhole()
}

// TestAnyReplicaTakesRequests: the one that does not lead passes them on.
func TestAnyReplicaTakesRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.replica("a"), w.replica("b")
	w.mustArrive()
	_, other := w.leader(a, b)
	w.change()
	w.must(other.request())
	w.mustArrive()
	w.eventually("the report", func() error {
		if s := w.status(); s.Run.Cause != "request by publisher-status" || s.Run.Error != "" {
			return fmt.Errorf("the run was %+v", s.Run)
		}
		return nil
	})
}

type report struct {
	Run          struct{ ID, Cause, Error string }
	Destinations []struct {
		Name, Error string
		Waiting     int
		Branches    []struct{ MirrorHead string }
	}
}

// status is what publisher status says.
func (w *world) status() (s report) {
	w.Helper()
	out := w.run("status", "--cluster", "--kubeconfig", w.kubeconfig, "--namespace", w.namespace, "-o", "json")
	w.must(json.Unmarshal([]byte(out), &s))
	return s
}

// TestLeaderThatStopsHandsOver at once: nobody waits for its lease to run out.
func TestLeaderThatStopsHandsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.replica("a", "--lease-duration", "1h"), w.replica("b", "--lease-duration", "1h")
	w.mustArrive()
	leads, _ := w.leader(a, b)
	w.must(leads.stop())
	w.eventually("the lease is given back", func() error {
		if holder := w.holder(); strings.HasPrefix(holder, leads.name) {
			return fmt.Errorf("%s holds it", holder)
		}
		return nil
	})
}

// TestClusterIsToldOfRuns: the ConfigMap has the report, and events tell of runs.
func TestClusterIsToldOfRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.replica("a")
	w.mustArrive()
	w.eventually("the report", func() error {
		lease, err := w.client.CoreV1().ConfigMaps(w.namespace).Get(t.Context(), "publisher-status", metav1.GetOptions{})
		if err == nil && lease.Data["status"] == "" {
			err = fmt.Errorf("there is none in %v", lease.Data)
		}
		return err
	})
	s := w.status()
	if len(s.Destinations) != 3 || s.Destinations[0].Waiting != 0 || s.Destinations[0].Branches[0].MirrorHead != w.remotes.Git("a", "rev-parse", "master") {
		t.Errorf("the report is %+v", s)
	}
	reasons := func() (all []string) {
		events, err := w.client.CoreV1().Events(w.namespace).List(t.Context(), metav1.ListOptions{})
		w.must(err)
		for _, e := range events.Items {
			all = append(all, e.InvolvedObject.Kind+" "+e.InvolvedObject.Name+" "+e.Type+" "+e.Reason)
		}
		return all
	}
	mustTell := func(want string) {
		w.Helper()
		w.eventually("the event "+want, func() error {
			if all := reasons(); !slices.Contains(all, want) {
				return fmt.Errorf("the events are %q", all)
			}
			return nil
		})
	}
	mustTell("ConfigMap publisher-status Normal RunSucceeded")

	// Somebody else's commit at a remote is a conflict, which people hear of.
	id := w.git("", "-C", w.remotes.Dir("a"), "-c", "user.name=M", "-c", "user.email=m@example.com", "commit-tree", "-p", "master", "-m", "Mine", "master^{tree}")
	w.git("", "-C", w.remotes.Dir("a"), "update-ref", "refs/heads/master", id)
	// Whoever may annotate the ConfigMap can ask for a run.
	_, err := w.client.CoreV1().ConfigMaps(w.namespace).Patch(t.Context(), "publisher-status", "application/merge-patch+json",
		[]byte(`{"metadata":{"annotations":{"publisher/sync":"please"}}}`), metav1.PatchOptions{})
	w.must(err)
	mustTell("ConfigMap publisher-status Warning RunFailed")
}
