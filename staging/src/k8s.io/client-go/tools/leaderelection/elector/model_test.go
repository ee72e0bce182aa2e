package elector

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	rl "k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Two and three electors, the lock, and the network between them, as one value. From
// each world, moves lead to others: a clock ticks, a request is sent, arrives, is
// answered, is lost, or arrives after its sender has given up; a leader releases, a
// candidate restarts, somebody deletes the lease. The search goes to every world that
// can be reached, and looks how many lead in it.
//
// Each elector may make an attempt at any time, which is more than the loops of Run
// do. Times are kept as ages, up to where an age makes no more difference, so the
// worlds are finite in number.

const most = 3

type world struct {
	n     int
	lock  stored
	peers [most]peer
	// A write on its way whose sender has given up, if there may be one.
	late      message
	lateness  bool
	alike     bool // the electors
	restarts  int
	deletions int
	releases  int
}

// stored is the lease in the API server. Each write gives it a new version.
type stored struct {
	there   bool
	version int
	holder  int // who, from 1; 0 is nobody
}

type peer struct {
	election election
	rate     int // how much its clock counts in a tick
	version  int // of the lease that the lock has last read or written
	waiting  bool
	sent     message
	reached  bool // the server has dealt with it
	reply    reply
}

// message is a request.
type message struct {
	what    request
	version int
	holder  int
}

// reply is what the server says to a request.
type reply struct {
	outcome string // "ok", "conflict", "not found"
	lease   stored
}

const stale = -1 // a version that will not be seen again

func (w *world) serve(m message) reply {
	switch {
	case m.what == get && w.lock.there:
		return reply{"ok", w.lock}
	case m.what == create && !w.lock.there, m.what == update && w.lock.there && m.version == w.lock.version:
		w.lock = stored{true, w.unused(), m.holder}
		return reply{"ok", w.lock}
	case m.what == create || w.lock.there:
		return reply{outcome: "conflict"}
	}
	return reply{outcome: "not found"}
}

// unused returns a version that is nowhere in the world.
func (w *world) unused() int {
	next := w.lock.version + 1
	for i := range w.peers[:w.n] {
		p := &w.peers[i]
		next = max(next, p.version+1, p.sent.version+1, p.reply.lease.version+1)
	}
	return max(next, w.late.version+1)
}

var wall = time.Unix(0, 0) // it stands still: what it shows must not matter

// A move is one thing that may happen, to one of the electors if it is such a thing.
type move struct {
	what string
	who  int
}

var (
	movesOfWorld = []string{"a second passes", "somebody deletes the lease", "a late write arrives"}
	movesOfPeer  = []string{"begins an attempt", "begins to release", "restarts", "is heard by the server", "is answered", "hears nothing"}
)

// do makes a move, and reports whether it can be made in this world.
func (w *world) do(m move) bool {
	p := &w.peers[m.who]
	switch m.what {
	case "a second passes":
		for i := range w.peers[:w.n] {
			w.peers[i].age(time.Duration(w.peers[i].rate) * time.Second)
		}
	case "somebody deletes the lease":
		// Who has never seen the lease, or has one under way, makes one at once.
		makesOne := func(p peer) bool { return !p.election.known || p.sent.what == create }
		if w.deletions == 0 || !w.lock.there || slices.ContainsFunc(w.peers[:w.n], makesOne) {
			return false
		}
		w.deletions--
		w.lock = stored{}
	case "a late write arrives":
		if w.late.what == over {
			return false
		}
		w.serve(w.late)
		w.late = message{}
	case "begins an attempt":
		if p.waiting {
			return false
		}
		p.send(p.election.begin(0, wall))
	case "begins to release":
		if p.waiting || w.releases == 0 || !p.election.leads(0) {
			return false
		}
		w.releases--
		p.send(p.election.beginRelease(0, wall))
	case "restarts":
		if w.restarts == 0 {
			return false
		}
		w.restarts--
		w.giveUp(p)
		*p = peer{election: fresh(&p.election), rate: p.rate, version: stale}
	case "is heard by the server":
		if !p.waiting || p.reached {
			return false
		}
		p.reached, p.reply = true, w.serve(p.sent)
	case "is answered":
		if !p.waiting || !p.reached {
			return false
		}
		p.receive(p.reply)
	case "hears nothing":
		if !p.waiting {
			return false
		}
		w.giveUp(p)
		p.receive(reply{outcome: "lost"})
	}
	return true
}

// moves returns the moves of all worlds like this one.
func (w *world) moves() (all []move) {
	for _, what := range movesOfWorld {
		all = append(all, move{what: what})
	}
	for i := range w.n {
		for _, what := range movesOfPeer {
			all = append(all, move{what, i})
		}
	}
	return all
}

func (m move) String() string {
	if slices.Contains(movesOfPeer, m.what) {
		return name(m.who+1) + " " + m.what
	}
	return m.what
}

// giveUp leaves a write that has not arrived on its way, where there is room for it.
func (w *world) giveUp(p *peer) {
	if w.lateness && p.waiting && !p.reached && p.sent.what != get && w.late.what == over {
		w.late = p.sent
	}
}

func (p *peer) send(r request) {
	p.waiting, p.reached, p.reply = r != over, false, reply{}
	p.sent = message{}
	if r == get {
		p.sent = message{what: get}
	} else if r != over {
		p.sent = message{r, p.version, number(p.election.written.HolderIdentity)}
	}
}

var (
	errLost     = errors.New("no answer")
	errConflict = apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, "x", nil)
	errNotFound = apierrors.NewNotFound(schema.GroupResource{Resource: "leases"}, "x")
)

func (p *peer) receive(r reply) {
	var a answer
	switch r.outcome {
	case "lost":
		a.err = errLost
	case "conflict":
		a.err = errConflict
	case "not found":
		a.err = errNotFound
	default:
		p.version = r.lease.version
		a.raw = strconv.AppendInt(nil, int64(r.lease.version), 10)
		a.record = &rl.LeaderElectionRecord{HolderIdentity: name(r.lease.holder), LeaseDurationSeconds: int(p.election.leaseDuration / time.Second)}
	}
	p.send(p.election.proceed(0, wall, a))
}

func name(i int) string {
	if i == 0 {
		return ""
	}
	return string(rune('A' + i - 1))
}

func number(name string) int {
	if name == "" {
		return 0
	}
	return int(name[0]-'A') + 1
}

func fresh(e *election) election {
	return election{identity: e.identity, leaseDuration: e.leaseDuration, renewDeadline: e.renewDeadline}
}

// age moves what the peer remembers into the past; now is always 0.
func (p *peer) age(d time.Duration) {
	e := &p.election
	e.changed = max(e.changed-d, -e.leaseDuration)
	e.sent = max(e.sent-d, -e.renewDeadline)
	e.leadsUntil -= d
}

// settle makes worlds that differ in nothing that matters the same. Of versions it
// matters whether they are the lease's, which becomes 1, or, for what was read,
// that of the answer at hand, which becomes 2.
func (w *world) settle() {
	current := func(v int) bool { return w.lock.there && v == w.lock.version }
	version := func(v int) int {
		if current(v) {
			return 1
		}
		return stale
	}
	for i := range w.peers[:w.n] {
		p := &w.peers[i]
		e := &p.election
		switch raw, _ := strconv.Atoi(e.raw); {
		case e.raw == "":
		case current(raw):
			e.raw = "1"
		case p.reply.lease.there && raw == p.reply.lease.version:
			e.raw = "2"
		default:
			e.raw = ""
		}
		p.version = version(p.version)
		p.sent.version = version(p.sent.version)
		if p.reply.lease.there {
			if p.reply.lease.version = version(p.reply.lease.version); p.reply.lease.version == stale {
				p.reply.lease.version = 2
			}
		}
		// What is for people to look at has no part in decisions.
		e.record = rl.LeaderElectionRecord{HolderIdentity: e.record.HolderIdentity, LeaseDurationSeconds: e.record.LeaseDurationSeconds}
		e.written.AcquireTime, e.written.RenewTime, e.written.LeaderTransitions = metav1.Time{}, metav1.Time{}, 0
		if !p.waiting {
			e.written, e.direct, e.releasing, e.request = rl.LeaderElectionRecord{}, false, false, over
		}
		if !p.waiting || e.request == get {
			e.sent = 0
		}
		if e.leadsUntil <= 0 {
			e.stop()
		}
		e.unsure = e.unsure && w.releases > 0
	}
	// A late write that can change nothing any more is as good as lost.
	w.late.version = version(w.late.version)
	if w.late.what == update && w.late.version == stale || w.late.what == create && w.lock.there && w.deletions == 0 {
		w.late = message{}
	}
	if w.lock.there {
		w.lock.version = 1
	}
}

// key tells worlds apart in little memory. Worlds in which electors that are alike
// have only changed their places have the same, mostly.
func (w *world) key() string {
	var parts [most][6]byte
	order := make([]int, w.n, most)
	for i := range order {
		order[i] = i
		parts[i] = w.peers[i].part()
	}
	if w.alike {
		slices.SortFunc(order, func(i, j int) int { return bytes.Compare(parts[i][:], parts[j][:]) })
	}
	b := make([]byte, 0, 64)
	holder := func(h int) {
		if h > 0 {
			h = slices.Index(order, h-1) + 1
		}
		b = append(b, byte(h))
	}
	b = append(b, byte(w.restarts<<4|w.deletions<<2|w.releases), bits(w.lock.there), letter(w.late.what))
	holder(w.lock.holder)
	holder(w.late.holder)
	for _, i := range order {
		p := &w.peers[i]
		b = append(b, parts[i][:]...)
		holder(number(p.election.record.HolderIdentity))
		holder(p.reply.lease.holder)
	}
	return string(b)
}

// part is the part of the key that an elector has wherever its place is.
func (p *peer) part() [6]byte {
	e := &p.election
	seconds := func(d time.Duration) byte { return byte(d / time.Second) }
	return [6]byte{
		bits(e.known, e.missing, e.unsure, e.direct, e.releasing, p.waiting, p.reached, p.version == 1),
		bits(e.raw == "1", e.raw == "2", p.sent.version == 1, p.reply.lease.version == 1, p.reply.outcome == "ok", p.reply.outcome == "conflict",
			p.sent.holder == 0, e.holder() == e.identity),
		letter(e.request), seconds(e.changed), seconds(e.leadsUntil), seconds(e.sent),
	}
}

func bits(values ...bool) (b byte) {
	for i, v := range values {
		if v {
			b |= 1 << i
		}
	}
	return b
}

func letter(r request) byte {
	if r == over {
		return '-'
	}
	return r[0]
}

// leaders returns who leads.
func (w *world) leaders() (who []string) {
	for i := range w.peers[:w.n] {
		if w.peers[i].election.leads(0) {
			who = append(who, name(i+1))
		}
	}
	return who
}

func newWorld(lease, renew time.Duration, rates ...int) *world {
	w := &world{n: len(rates)}
	w.alike = len(slices.Compact(slices.Clone(rates))) == 1
	for i, rate := range rates {
		w.peers[i] = peer{
			election: election{identity: name(i + 1), leaseDuration: lease * time.Second, renewDeadline: renew * time.Second},
			rate:     rate, version: stale,
		}
	}
	return w
}

// search goes to all worlds that can be reached. It returns how many there are, in
// how many each elector leads, and how a world with two leaders came about.

func search(start *world) (worlds int, leads map[string]int, two []string) {
	type step struct {
		from int
		move move
	}
	start.settle()
	moves := start.moves()
	steps := []step{{from: -1}}
	seen := map[string]bool{start.key(): true}
	leads = make(map[string]int)
	type open struct {
		world
		at int
	}
	for queue := []open{{*start, 0}}; len(queue) > 0; {
		here := queue[0]
		queue = queue[1:]
		for _, m := range moves {
			next := here.world
			if !next.do(m) {
				continue
			}
			next.settle()
			if key := next.key(); seen[key] {
				continue
			} else {
				seen[key] = true
			}
			steps = append(steps, step{here.at, m})
			who := next.leaders()
			for _, l := range who {
				leads[l]++
			}
			if len(who) > 1 {
				for at := len(steps) - 1; at > 0; at = steps[at].from {
					two = append(two, steps[at].move.String())
				}
				slices.Reverse(two)
				return len(steps), leads, two
			}
			queue = append(queue, open{next, len(steps) - 1})
		}
	}
	return len(steps), leads, nil
}

func TestNoTwoElectorsLeadAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		start                         *world
		lateness                      bool
		restarts, deletions, releases int
	}{
		"two, and writes arrive late":              {start: newWorld(3, 2, 1, 1), lateness: true},
		"two, that release and restart":            {start: newWorld(2, 1, 1, 1), lateness: true, restarts: 1, releases: 1},
		"two, and the lease is deleted":            {start: newWorld(2, 1, 1, 1), deletions: 1, releases: 1},
		"two, and a clock runs at twice the speed": {start: newWorld(5, 2, 1, 2), lateness: true},
		"three": {start: newWorld(2, 1, 1, 1, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tc.start
			w.lateness, w.restarts, w.deletions, w.releases = tc.lateness, tc.restarts, tc.deletions, tc.releases
			worlds, leads, two := search(w)
			if two != nil {
				t.Fatalf("two lead after this:\n%s", strings.Join(two, "\n"))
			}
			if len(leads) < 2 {
				t.Errorf("only %v have ever led", leads)
			}
			t.Logf("%d worlds; leading in them: %v", worlds, leads)
		})
	}
}

// The search would find two leaders: where the durations are wrong, it does.
func TestSearchFindsTwoLeadersWhereThereAreSome(t *testing.T) {
	for name, start := range map[string]*world{
		"a deadline that is longer than the lease":          newWorld(2, 3, 1, 1),
		"a clock that runs faster than the durations allow": newWorld(3, 2, 1, 3),
	} {
		t.Run(name, func(t *testing.T) {
			worlds, _, two := search(start)
			if two == nil {
				t.Fatalf("there are no two leaders in %d worlds", worlds)
			}
			t.Logf("%s", strings.Join(two, "\n"))
		})
	}
}
