package resourcelock_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// leaseServer has leases, and holds updates against their resource versions.
type leaseServer struct {
	*httptest.Server
	mu      sync.Mutex
	version int
	leases  map[string]*coordinationv1.Lease
	agents  []string
}

func serve(t *testing.T) *leaseServer {
	s := &leaseServer{leases: make(map[string]*coordinationv1.Lease)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *leaseServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agents = append(s.agents, r.UserAgent())
	name, _ := strings.CutPrefix(r.URL.Path, "/apis/coordination.k8s.io/v1/namespaces/ns/leases")
	name = strings.TrimPrefix(name, "/")
	w.Header().Set("Content-Type", "application/json")
	refuse := func(code int, reason metav1.StatusReason) {
		w.WriteHeader(code)
		json.NewEncoder(w).Encode(metav1.Status{Status: metav1.StatusFailure, Code: int32(code), Reason: reason})
	}
	var lease coordinationv1.Lease
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&lease); err != nil {
			refuse(http.StatusBadRequest, metav1.StatusReasonBadRequest)
			return
		}
		name = lease.Name
	}
	there := s.leases[name]
	switch {
	case r.Method == http.MethodPost && there != nil:
		refuse(http.StatusConflict, metav1.StatusReasonAlreadyExists)
		return
	case r.Method != http.MethodPost && there == nil:
		refuse(http.StatusNotFound, metav1.StatusReasonNotFound)
		return
	case r.Method == http.MethodPut && lease.ResourceVersion != there.ResourceVersion:
		refuse(http.StatusConflict, metav1.StatusReasonConflict)
		return
	case r.Method != http.MethodGet:
		s.version++
		lease.ResourceVersion = fmt.Sprint(s.version)
		s.leases[name] = &lease
	}
	json.NewEncoder(w).Encode(s.leases[name])
}

func (s *leaseServer) lock(t *testing.T, name, identity string, events resourcelock.EventRecorder) *resourcelock.LeaseLock {
	t.Helper()
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, "ns", name,
		resourcelock.ResourceLockConfig{Identity: identity, EventRecorder: events},
		&rest.Config{Host: s.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return lock.(*resourcelock.LeaseLock)
}

var noon = metav1.NewTime(time.Date(2026, 1, 1, 12, 0, 0, 123456000, time.UTC))

func record(holder string) resourcelock.LeaderElectionRecord {
	return resourcelock.LeaderElectionRecord{HolderIdentity: holder, LeaseDurationSeconds: 15, AcquireTime: noon, RenewTime: noon, LeaderTransitions: 2}
}

// same compares records, wherever their times are read.
func same(a, b resourcelock.LeaderElectionRecord) bool {
	equal := a.AcquireTime.Equal(&b.AcquireTime) && a.RenewTime.Equal(&b.RenewTime)
	a.AcquireTime, a.RenewTime = b.AcquireTime, b.RenewTime
	return equal && a == b
}

func TestOfTwoWritersOneSucceeds(t *testing.T) {
	server := serve(t)
	a, b := server.lock(t, "x", "a", nil), server.lock(t, "x", "b", nil)
	ctx := t.Context()
	if _, _, err := a.Get(ctx); !apierrors.IsNotFound(err) {
		t.Fatalf("without a lease: %v", err)
	}
	if err := b.Update(ctx, record("b")); err == nil || !strings.Contains(err.Error(), "not read") {
		t.Errorf("update of a lease that was never read: %v", err)
	}
	if err := a.Create(ctx, record("a")); err != nil {
		t.Fatal(err)
	}
	if err := b.Create(ctx, record("b")); !apierrors.IsAlreadyExists(err) {
		t.Errorf("second create: %v", err)
	}
	if got, _, err := b.Get(ctx); err != nil || !same(*got, record("a")) {
		t.Errorf("b reads %+v, %v", got, err)
	}
	if err := a.Update(ctx, record("a")); err != nil {
		t.Errorf("update after create: %v", err)
	}
	for range 2 { // it stays stale
		if err := b.Update(ctx, record("b")); !apierrors.IsConflict(err) {
			t.Errorf("update of what has changed since: %v", err)
		}
	}
	if err := a.Update(ctx, record("")); err != nil {
		t.Errorf("update after update: %v", err)
	}
	if agent := server.agents[0]; !strings.HasSuffix(agent, "/leader-election") {
		t.Errorf("user agent %q", agent)
	}
}

func TestRawRecordTellsMicroseconds(t *testing.T) {
	server := serve(t)
	lock := server.lock(t, "x", "a", nil)
	var seen []string
	for i := range 2 {
		next := record("a")
		next.RenewTime = metav1.NewTime(noon.Add(time.Duration(i) * time.Microsecond))
		write := lock.Update
		if i == 0 {
			write = lock.Create
		}
		if err := write(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		_, raw, err := lock.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var decoded resourcelock.LeaderElectionRecord
		if err := json.Unmarshal(raw, &decoded); err != nil {
			t.Fatal(err)
		}
		if decoded.HolderIdentity != "a" || !decoded.RenewTime.Equal(&next.RenewTime) {
			t.Errorf("%s is decoded as %+v", raw, decoded)
		}
		seen = append(seen, string(raw))
	}
	if seen[0] == seen[1] {
		t.Errorf("two records look the same: %s", seen[0])
	}
}

func TestLabelsAreSetAndOthersStay(t *testing.T) {
	server := serve(t)
	lock := server.lock(t, "x", "a", nil)
	lock.Labels = map[string]string{"team": "a"}
	ctx := t.Context()
	if err := lock.Create(ctx, record("a")); err != nil {
		t.Fatal(err)
	}
	server.leases["x"].Labels = map[string]string{"team": "b", "more": "c"}
	if _, _, err := lock.Get(ctx); err != nil {
		t.Fatal(err)
	}
	if err := lock.Update(ctx, record("a")); err != nil {
		t.Fatal(err)
	}
	if got := server.leases["x"].Labels; len(got) != 2 || got["team"] != "a" || got["more"] != "c" {
		t.Errorf("labels %v", got)
	}
}

type recorder []string

func (r *recorder) Eventf(object runtime.Object, eventType, reason, message string, args ...interface{}) {
	lease := object.(*coordinationv1.Lease)
	*r = append(*r, fmt.Sprintf("%s %s/%s %s %s: ", lease.Kind, lease.Namespace, lease.Name, eventType, reason)+fmt.Sprintf(message, args...))
}

func TestEventsAreRecordedOnTheLease(t *testing.T) {
	var events recorder
	lock := serve(t).lock(t, "x", "100%s", &events)
	lock.RecordEvent("became leader")
	if want := []string{"Lease ns/x Normal LeaderElection: 100%s became leader"}; !slices.Equal(events, want) {
		t.Errorf("%q, want %q", events, want)
	}
}

func TestTypeOfLockThatIsNotThereIsAnError(t *testing.T) {
	for _, lockType := range []string{"", "endpoints", "configmaps", "endpointsleases", "configmapsleases", "lease"} {
		if lock, err := resourcelock.New(lockType, "ns", "x", nil, nil, resourcelock.ResourceLockConfig{}); err == nil || lock != nil ||
			!strings.Contains(err.Error(), `use "leases"`) {
			t.Errorf("%q: %v, %v", lockType, lock, err)
		}
	}
	if _, err := resourcelock.NewFromKubeconfig("leases", "ns", "x", resourcelock.ResourceLockConfig{}, &rest.Config{Host: "::"}, time.Second); err == nil {
		t.Error("a lock without a usable client")
	}
}

// A lease that somebody made by hand may have nothing in it.
func TestEmptyLeaseIsHeldByNobody(t *testing.T) {
	if got := *resourcelock.LeaseSpecToLeaderElectionRecord(&coordinationv1.LeaseSpec{}); got != (resourcelock.LeaderElectionRecord{}) {
		t.Errorf("%+v", got)
	}
}
