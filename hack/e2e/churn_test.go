package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/publisher/hack/e2e/controlplane"
	"k8s.io/publisher/hack/e2e/faults"
)

// churn creates, updates and deletes config maps until the context ends, and returns how
// many times. A server that is away is asked again.
func churn(ctx context.Context, cs kubernetes.Interface, ns string, seed uint64) (changes int) {
	random := rand.New(rand.NewPCG(seed, 0))
	maps := cs.CoreV1().ConfigMaps(ns)
	for ctx.Err() == nil {
		name := fmt.Sprintf("churn-%d", random.IntN(300))
		var err error
		switch random.IntN(4) {
		case 0:
			err = maps.Delete(ctx, name, metav1.DeleteOptions{})
		default:
			data := map[string]string{"number": fmt.Sprint(random.Uint64()), "common": "the same in all of them"}
			m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "churn"}}, Data: data}
			if _, err = maps.Update(ctx, m, metav1.UpdateOptions{}); err != nil {
				_, err = maps.Create(ctx, m, metav1.CreateOptions{})
			}
		}
		if err == nil {
			changes++
		}
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
	}
	return changes
}

// trouble is what happens to the server and to the informers' connections.
func trouble(ctx context.Context, t *testing.T, cp *controlplane.ControlPlane, proxy *faults.TCP, random *rand.Rand) (what string) {
	t.Helper()
	must := func(err error) {
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}
	switch random.IntN(6) {
	case 0:
		cp.KillAPIServer()
		must(cp.StartAPIServer(context.WithoutCancel(ctx)))
		return "server killed and restarted"
	case 1: // what was missed is forgotten
		proxy.Refuse(true)
		proxy.ResetAll()
		time.Sleep(500 * time.Millisecond)
		must(cp.Compact(context.WithoutCancel(ctx)))
		cp.KillAPIServer()
		must(cp.StartAPIServer(context.WithoutCancel(ctx)))
		proxy.Refuse(false)
		return "database compacted"
	case 2:
		proxy.ResetAll()
		return "connections reset"
	case 3:
		proxy.CutAfter(int64(random.IntN(50_000)))
		proxy.ResetAll()
		time.Sleep(time.Second)
		proxy.CutAfter(-1)
		return "connections cut off"
	case 4:
		proxy.Stall(true)
		time.Sleep(time.Second)
		proxy.Stall(false)
		return "server hangs"
	default:
		proxy.SetLatency(20 * time.Millisecond)
		time.Sleep(time.Second)
		proxy.SetLatency(0)
		return "server is slow"
	}
}

// TestInformersAgreeWithTheServerAfterChurnAndTrouble for as long as SOAK says, or half a
// minute.
func TestInformersAgreeWithTheServerAfterChurnAndTrouble(t *testing.T) {
	duration := 30 * time.Second
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatalf("SOAK: %v", err)
		}
	}
	cp := newCluster(t)
	before := goleak.IgnoreCurrent()
	cs, client := poolOf(t, configFrom(t, cp.AdminKubeconfig))
	proxy, config := throughTCP(t, cp.URL, configFrom(t, cp.AdminKubeconfig))
	_, pool := poolOf(t, config)
	w := follow(t, cs, "default", witnessedInformers(t, config, pool, "default"))

	churning, calm := context.WithTimeout(t.Context(), duration)
	defer calm()
	var workers sync.WaitGroup
	var changes atomic.Int64
	for seed := range uint64(4) {
		workers.Go(func() { changes.Add(int64(churn(churning, cs, "default", seed))) })
	}
	random := rand.New(rand.NewPCG(1, 1))
	troubles := map[string]int{}
	for churning.Err() == nil {
		troubles[trouble(churning, t, cp, proxy, random)]++
		select {
		case <-time.After(2 * time.Second):
		case <-churning.Done():
		}
	}
	workers.Wait()

	quiet := time.Now()
	w.settled()
	t.Logf("they agree after %v", time.Since(quiet))
	for _, one := range w.all {
		t.Logf("%s informer: told %d times", one.kind, one.told)
	}
	kinds := []string{}
	for kind, n := range troubles {
		kinds = append(kinds, fmt.Sprintf("%s %d×", kind, n))
	}
	slices.Sort(kinds)
	t.Logf("%d changes in %v; %v", changes.Load(), duration, kinds)

	w.stop()
	proxy.Close()
	mustLeaveNothing(t, before, client, pool)
}
