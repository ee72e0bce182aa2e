package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/publisher/hack/e2e/controlplane"
	"k8s.io/publisher/hack/e2e/faults"
)

// A line is what is between informers and a server: first connections, which break,
// then a proxy, which answers what it should not.
type line struct {
	tcp  *faults.TCP
	http *faults.HTTP
}

// newLine is a line to a server, and a configuration of the administrator that goes
// through it.
func newLine(t *testing.T, cp *controlplane.ControlPlane) (*line, *rest.Config) {
	t.Helper()
	certificate, err := cp.ServerCertificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := configFrom(t, cp.AdminKubeconfig)
	proxy, err := faults.NewHTTP(cp.URL, certificate, config.CAData)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	connections, config := throughTCP(t, proxy.URL(), config)
	return &line{connections, proxy}, config
}

func (l *line) close() {
	l.tcp.Close()
	l.http.Close()
}

// A trial is of informers that have settled, and then something happens.
type trial struct {
	*watched
	*line
	cp    *controlplane.ControlPlane
	maps  typedcore.ConfigMapInterface // without anything in between
	round int

	injected bool // whether there should be faulty watches
}

func (tr *trial) must(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
}

// restart starts the server after it was killed or stopped.
func (tr *trial) restart() {
	tr.t.Helper()
	tr.must(tr.cp.StartAPIServer(tr.t.Context()))
}

// change makes six events: of an object that is new, two that change, one that goes,
// and one that goes and another takes its name.
func (tr *trial) change() {
	tr.t.Helper()
	ctx := deadline(tr.t)
	tr.round++
	name := func(n int) string { return fmt.Sprintf("%d-%d", tr.round, n) }
	_, err := tr.maps.Create(ctx, configMap(fmt.Sprintf("new-%d", tr.round)), metav1.CreateOptions{})
	tr.must(err)
	patch := fmt.Appendf(nil, `{"data":{"round":"%d"}}`, tr.round)
	for n := range 2 {
		_, err := tr.maps.Patch(ctx, name(n), "application/merge-patch+json", patch, metav1.PatchOptions{})
		tr.must(err)
	}
	for n := 2; n < 4; n++ {
		tr.must(tr.maps.Delete(ctx, name(n), metav1.DeleteOptions{}))
	}
	_, err = tr.maps.Create(ctx, configMap(name(3)), metav1.CreateOptions{})
	tr.must(err)
}

// rounds is how often a trial can call change.
const rounds = 6

// seed makes what change changes.
func seed(t *testing.T, maps typedcore.ConfigMapInterface) {
	t.Helper()
	for round := range rounds {
		for n := range 4 {
			if _, err := maps.Create(deadline(t), configMap(fmt.Sprintf("%d-%d", round+1, n)), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// inject has the next so many watches be faulty.
func (tr *trial) inject(times int, fault faults.Fault) {
	tr.injected = true
	tr.http.Inject(times, isWatch, fault)
}

func isWatch(r *http.Request) bool { return r.URL.Query().Get("watch") == "true" }

// each is a fault that alters each line of an answer by itself.
func each(alter func([]byte) []byte) faults.Fault {
	return faults.Fault{Lines: func() func([]byte) []byte { return alter }}
}

// expired is the event by which a server says that it has forgotten a version.
const expired = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",` +
	`"message":"too old resource version: 1 (2)","reason":"Expired","code":410}}` + "\n"

// swapped has events of different objects that come one after the other change places.
// Those of one object stay in order, and bookmarks stay where they are. First is called
// when it happens for the first time.
func swapped(first func()) func([]byte) []byte {
	var held []byte
	once := sync.OnceFunc(first)
	return func(line []byte) []byte {
		before := held
		held = nil
		switch {
		case before == nil && eventOf(line) != "":
			held = bytes.Clone(line)
			return nil
		case before == nil:
			return line
		case eventOf(line) == "" || eventOf(line) == eventOf(before):
			return slices.Concat(before, line)
		}
		once()
		return slices.Concat(line, before)
	}
}

// eventOf is the name of the object that an event is about, if it is about one.
func eventOf(line []byte) string {
	var event struct {
		Object struct{ Metadata struct{ Name string } }
	}
	if json.Unmarshal(line, &event) != nil {
		return ""
	}
	return event.Object.Metadata.Name
}

// TestInformersSettleAfterFaults of all kinds: the stores come to have what the server
// has, object by object; what handlers are told makes sense, and ends with just that;
// and nothing is left of it.
func TestInformersSettleAfterFaults(t *testing.T) {
	cp := newCluster(t)
	for _, c := range []struct {
		name   string
		direct bool // without a line
		fault  func(tr *trial)
	}{
		{"the server is killed and restarted", true, func(tr *trial) {
			tr.cp.KillAPIServer()
			tr.restart()
			tr.change() // before most are back
		}},
		{"the server is killed and restarted behind a proxy that says so", false, func(tr *trial) {
			tr.cp.KillAPIServer()
			tr.restart()
			tr.change()
		}},
		{"the server is stopped and started", true, func(tr *trial) {
			tr.cp.StopAPIServer()
			tr.restart()
			tr.change()
		}},
		{"the database has forgotten what they missed", false, func(tr *trial) {
			var told atomic.Int64
			tr.inject(1000, each(func(line []byte) []byte {
				if bytes.Contains(line, []byte(`"code":410`)) {
					told.Add(1)
				}
				return line
			}))
			tr.tcp.Refuse(true)
			tr.tcp.ResetAll()
			tr.change()
			tr.must(tr.cp.Compact(tr.t.Context()))
			tr.cp.KillAPIServer()
			tr.restart()
			tr.change()
			tr.tcp.Refuse(false)
			tr.settled()
			if told := int(told.Load()); told < len(tr.all) {
				tr.t.Errorf("%d watches were told that their version is forgotten, want one of each of %d informers", told, len(tr.all))
			}
		}},
		{"the database forgets what they have seen", false, func(tr *trial) {
			before := len(tr.http.Requests())
			for range 3 {
				tr.must(tr.cp.Compact(tr.t.Context()))
				tr.change()
				tr.settled()
			}
			if n := len(tr.http.Requests()) - before; n > 0 {
				tr.t.Errorf("%d requests, though no watch has ended", n)
			}
		}},
		{"watches are refused: the version is gone", false, func(tr *trial) {
			tr.inject(len(tr.all), faults.Fault{Status: http.StatusGone, Body: "gone"})
			tr.tcp.ResetAll()
			tr.change()
		}},
		{"watches end after each event: the version is gone", false, func(tr *trial) {
			tr.inject(2*len(tr.all), each(func(line []byte) []byte { return slices.Concat(line, []byte(expired)) }))
			tr.tcp.ResetAll()
			tr.change()
		}},
		{"servers fail in all ways", false, func(tr *trial) {
			for _, status := range []int{429, 500, 502, 503, 504} {
				tr.inject(1, faults.Fault{Status: status, Body: "no"})
			}
			tr.inject(1, faults.Fault{Status: 429, Body: "later", RetryAfter: 1e9})
			tr.tcp.ResetAll()
			tr.change()
		}},
		{"each event comes twice", false, func(tr *trial) {
			tr.inject(1000, each(func(line []byte) []byte { return slices.Concat(line, line) }))
			tr.tcp.ResetAll()
			for range 3 {
				tr.change()
			}
			tr.settled()
		}},
		{"events of different objects change places", false, func(tr *trial) {
			var answers atomic.Int64 // in which events changed places
			tr.inject(1000, faults.Fault{Lines: func() func([]byte) []byte {
				return swapped(func() { answers.Add(1) })
			}})
			tr.tcp.ResetAll()
			tr.change()
			eventually(tr.t, "swapped events for each informer", func(ctx context.Context) error {
				for _, name := range []string{"1-0", "1-1"} {
					patch := fmt.Appendf(nil, `{"data":{"number":"%d"}}`, number())
					if _, err := tr.maps.Patch(ctx, name, "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
						return err
					}
				}
				if n := int(answers.Load()); n < len(tr.all) {
					return fmt.Errorf("in %d answers", n)
				}
				return nil
			})
			// What is held back is lost, and the version that an informer has come to is
			// not that of the last event it got.
			tr.http.Clear()
			tr.tcp.ResetAll()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			cs, client := poolOf(t, configFrom(t, cp.AdminKubeconfig))
			ns := newNamespace(t, cs)
			maps := cs.CoreV1().ConfigMaps(ns)
			seed(t, maps)
			l, config := newLine(t, cp)
			if c.direct {
				config = configFrom(t, cp.AdminKubeconfig)
			}
			_, pool := poolOf(t, config)
			tr := &trial{watched: follow(t, cs, ns, witnessedInformers(t, config, pool, ns)), line: l, cp: cp, maps: maps}
			tr.settled()
			tr.change()
			c.fault(tr)
			tr.settled()
			faulty := 0
			for _, r := range l.http.Requests() {
				if r.Faulty {
					faulty++
				}
			}
			if tr.injected && faulty < len(tr.all) {
				t.Errorf("%d watches were faulty, want one of each informer at least", faulty)
			}
			l.http.Clear()
			tr.change()
			tr.settled()
			tr.stop()
			l.close()
			mustLeaveNothing(t, before, client, pool)
		})
	}
}

// newNamespace makes a namespace in a cluster that ends with the test.
func newNamespace(t *testing.T, cs kubernetes.Interface) string {
	t.Helper()
	ns, err := cs.CoreV1().Namespaces().Create(deadline(t), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "faults-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return ns.Name
}

// TestInformersSettleWhereverTheirAnswersAreCut: at any byte of the first two answers
// to each informer, be that in a list, in the events that stand for one, at their end
// or in a watch, or before there is an answer at all.
func TestInformersSettleWhereverTheirAnswersAreCut(t *testing.T) {
	cp, ns := ownCluster(t), namespace(t)
	before := goleak.IgnoreCurrent()
	cs, client := poolOf(t, adminConfig(t))
	maps := cs.CoreV1().ConfigMaps(ns)
	seed(t, maps)
	tr := &trial{cp: cp, maps: maps, watched: &watched{t: t}}
	var all []witnessed
	var pools []*http.Client
	var lines []*line
	cut := func(where func(*line)) {
		l, config := newLine(t, cp)
		where(l)
		_, pool := poolOf(t, config)
		kinds := witnessedInformers(t, config, pool, ns)
		all = append(all, kinds[len(lines)%len(kinds)])
		lines, pools = append(lines, l), append(pools, pool)
	}
	// The numbers are such that each kind of informer gets all parts of what is there.
	for n := int64(1); n < 14_000; n += 331 {
		cut(func(l *line) { l.http.Inject(2, isGet, faults.Fault{CutBody: n}) })
	}
	for n := int64(0); n < 14_000; n += 431 {
		cut(func(l *line) { l.tcp.CutAfter(n) })
	}
	tr.watched = follow(t, cs, ns, all)
	for range 2 {
		tr.change()
	}
	for _, l := range lines {
		if err := l.tcp.WaitAccepted(deadline(t), 1); err != nil {
			t.Fatal(err)
		}
		l.tcp.CutAfter(-1)
	}
	tr.change()
	tr.settled()
	tr.stop()
	for _, l := range lines {
		l.close()
	}
	mustLeaveNothing(t, before, append(pools, client)...)
}

// TestInformersAskForNoLargeListAtOnce, but in pages or as a stream, at first and when
// they have to list anew.
func TestInformersAskForNoLargeListAtOnce(t *testing.T) {
	const objects = 3000
	cp := newCluster(t)
	before := goleak.IgnoreCurrent()
	cs, client := poolOf(t, configFrom(t, cp.AdminKubeconfig))
	ns := newNamespace(t, cs)
	maps := cs.CoreV1().ConfigMaps(ns)
	seed(t, maps)
	var creating sync.WaitGroup
	for part := range 8 {
		creating.Go(func() {
			for n := range objects / 8 {
				if _, err := maps.Create(deadline(t), configMap(fmt.Sprintf("large-%d-%d", part, n)), metav1.CreateOptions{}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	creating.Wait()
	l, config := newLine(t, cp)
	_, pool := poolOf(t, config)
	tr := &trial{watched: follow(t, cs, ns, witnessedInformers(t, config, pool, ns)), line: l, cp: cp, maps: maps}
	tr.settled()

	l.tcp.Refuse(true)
	l.tcp.ResetAll()
	tr.change()
	tr.must(cp.Compact(t.Context()))
	cp.KillAPIServer()
	tr.restart()
	tr.change()
	l.tcp.Refuse(false)
	tr.settled()

	lists, streams := 0, 0
	for _, r := range l.http.Requests() {
		query, err := url.ParseQuery(r.Query)
		tr.must(err)
		switch {
		case !strings.HasSuffix(r.Path, "/configmaps"):
		case query.Get("sendInitialEvents") == "true":
			streams++
		case query.Get("watch") == "true":
		default:
			lists++
			// A list that may be no older than what is known comes from the server's
			// memory, where pages would have it read its database.
			if query.Get("limit") == "" && (query.Get("resourceVersion") == "" || query.Get("resourceVersion") == "0") {
				t.Errorf("a list of everything at once: %s?%s", r.Path, r.Query)
			}
		}
	}
	if lists == 0 || streams < len(tr.all)-1 {
		t.Errorf("%d lists and %d streams", lists, streams)
	}
	tr.stop()
	l.close()
	mustLeaveNothing(t, before, client, pool)
}
