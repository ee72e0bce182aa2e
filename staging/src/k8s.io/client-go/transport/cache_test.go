package transport

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	clientfeatures "k8s.io/client-go/features"
	"k8s.io/client-go/tools/metrics"
	certutil "k8s.io/client-go/util/cert"
)

func countEntries(c *cache) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

func collectUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never came true: " + what)
		}
		runtime.GC()
	}
}

func ownDialer() *DialHolder {
	return &DialHolder{Dial: new(net.Dialer).DialContext}
}

func TestTransportThatNothingUsesIsForgotten(t *testing.T) {
	var c cache
	kept := &Config{TLS: TLSConfig{Insecure: true}}
	rt, err := c.get(kept)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := c.get(&Config{DialHolder: ownDialer()}); err != nil {
			t.Fatal(err)
		}
	}
	collectUntil(t, "one transport is left", func() bool { return countEntries(&c) == 1 })
	if again, err := c.get(kept); again != rt || err != nil {
		t.Errorf("a transport in use was forgotten: %v", err)
	}
	runtime.KeepAlive(rt)
}

type gates map[clientfeatures.Feature]bool

func (g gates) Enabled(f clientfeatures.Feature) bool { return g[f] }

func setFeatures(t *testing.T, g gates) {
	before := clientfeatures.FeatureGates()
	clientfeatures.ReplaceFeatureGates(g)
	t.Cleanup(func() { clientfeatures.ReplaceFeatureGates(before) })
}

func TestTransportsAreKeptIfTheFeatureIsOff(t *testing.T) {
	setFeatures(t, gates{})
	var c cache
	if _, err := c.get(&Config{DialHolder: ownDialer()}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		runtime.GC()
	}
	if n := countEntries(&c); n != 1 {
		t.Errorf("%d transports are left, want 1", n)
	}
}

func TestEntryIsReplacedWhereItsTransportIsGone(t *testing.T) {
	before := counted.snapshot()
	var c cache
	config := &Config{TLS: TLSConfig{Insecure: true}}
	m, err := loadTLS(config)
	if err != nil {
		t.Fatal(err)
	}
	// As it is after the collection and before the cleanup.
	key := cacheKey{settings: settingsOf(config, &m)}
	c.entries = map[cacheKey]entry{key: {}}
	rt, err := c.get(config)
	if err != nil {
		t.Fatal(err)
	}
	c.forget(key, nil) // the cleanup of the one that is gone
	again, err := c.get(config)
	if err != nil || again != rt {
		t.Errorf("the new entry was removed: %v", err)
	}
	runtime.KeepAlive(rt)
	counted.expect(t, before, map[string]int{"miss-gc": 1, "hit": 1, "skipped": 1})
}

func TestTimerOfCertificatesDoesNotOutliveTheTransport(t *testing.T) {
	r := &certRotation{}
	r.timer = time.AfterFunc(time.Hour, func() {})
	r.retire()
	if r.timer.Stop() {
		t.Error("the timer is running")
	}
}

func TestRotationEndsWithItsTransport(t *testing.T) {
	certPEM, keyPEM, err := certutil.GenerateSelfSignedCertKey("client", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := TLSConfig{CertFile: filepath.Join(dir, "cert"), KeyFile: filepath.Join(dir, "key")}
	for path, content := range map[string][]byte{files.CertFile: certPEM, files.KeyFile: keyPEM} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var c cache
	before := counted.snapshot()["retired"]
	if _, err := c.get(&Config{TLS: files}); err != nil {
		t.Fatal(err)
	}
	collectUntil(t, "the rotation has ended", func() bool { return counted.snapshot()["retired"] > before })
	collectUntil(t, "nothing is left", func() bool { return countEntries(&c) == 0 })
}

func TestTransportsComeAndGoWhileTheyAreCollected(t *testing.T) {
	var (
		c       cache
		all     sync.WaitGroup
		holders = []*DialHolder{ownDialer(), ownDialer(), ownDialer()}
	)
	for range 4 {
		all.Go(func() {
			for i := range 300 {
				config := &Config{DialHolder: holders[i%len(holders)]}
				first, err := c.get(config)
				if err != nil {
					t.Error(err)
					return
				}
				if i%50 == 0 {
					runtime.GC()
				}
				if second, err := c.get(config); err != nil || second != first {
					t.Errorf("the transport is another one while it is in use: %v", err)
				}
			}
		})
	}
	all.Wait()
	collectUntil(t, "nothing is left", func() bool { return countEntries(&c) == 0 })
}

func TestLooksAtAuthoritiesAreCounted(t *testing.T) {
	certPEM, _, err := certutil.GenerateSelfSignedCertKey("server", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca")
	rt := newRootsTransport(&http.Transport{
		TLSClientConfig: &tls.Config{},
		DialContext:     new(net.Dialer).DialContext,
	}, file, []byte("other"))
	for _, look := range []struct {
		content []byte
		want    string
	}{
		{nil, "failure read_error"},
		{[]byte{}, "failure empty"},
		{[]byte("nonsense"), "failure ca_parse_error"},
		{certPEM, "success updated"},
		{certPEM, "success unchanged"},
	} {
		if look.content != nil {
			if err := os.WriteFile(file, look.content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := counted.snapshot()[look.want]
		rt.mu.Lock()
		rt.look()
		rt.mu.Unlock()
		if got := counted.snapshot()[look.want] - before; got != 1 {
			t.Errorf("%s was counted %d times", look.want, got)
		}
	}
}

func TestAuthoritiesAreNotReadAgainIfTheFeatureIsOff(t *testing.T) {
	certPEM, _, err := certutil.GenerateSelfSignedCertKey("server", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca")
	if err := os.WriteFile(file, certPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	for on, want := range map[bool]string{true: "*transport.rootsTransport", false: "*http.Transport"} {
		setFeatures(t, gates{clientfeatures.ClientsAllowCARotation: on})
		var c cache
		rt, err := c.get(&Config{TLS: TLSConfig{CAFile: file}})
		if got := fmt.Sprintf("%T", rt); got != want || err != nil {
			t.Errorf("feature %v: got %s, %v, want %s", on, got, err, want)
		}
	}
}

func TestOutcomesAreCounted(t *testing.T) {
	before := counted.snapshot()
	var c cache
	config := &Config{TLS: TLSConfig{Insecure: true}}
	rt, err := c.get(config)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.get(config); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.get(&Config{Proxy: http.ProxyFromEnvironment}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.get(&Config{TLS: TLSConfig{CAData: []byte("nonsense")}}); err == nil {
		t.Fatal("nonsense is accepted")
	}
	runtime.KeepAlive(rt)
	counted.expect(t, before, map[string]int{"miss": 1, "hit": 2, "uncacheable": 1})
}

// counted has how often each outcome was counted. It is there from the start, as
// what is collected is counted whenever that happens.
var counted = func() *counter {
	c := &counter{of: map[string]int{}}
	metrics.Register(metrics.RegisterOpts{
		TransportCreateCalls:         c,
		TransportCacheGCCalls:        c,
		TransportCAReloads:           reloads{c},
		TransportCertRotationGCCalls: retired{c},
	})
	return c
}()

type counter struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counter) Increment(outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[outcome]++
}

type reloads struct{ *counter }

func (r reloads) Increment(result, reason string) { r.counter.Increment(result + " " + reason) }

type retired struct{ *counter }

func (r retired) Increment() { r.counter.Increment("retired") }

func (c *counter) snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.of)
}

// expect checks what was counted since before, except for transports that were
// deleted, be it those of other tests.
func (c *counter) expect(t *testing.T, before, want map[string]int) {
	t.Helper()
	after := c.snapshot()
	for _, outcome := range []string{"hit", "miss", "miss-gc", "uncacheable", "skipped"} {
		if got := after[outcome] - before[outcome]; got != want[outcome] {
			t.Errorf("%s was counted %d times, want %d", outcome, got, want[outcome])
		}
	}
}
