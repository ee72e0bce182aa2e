// Package cluster is a bot's place in a Kubernetes cluster, where it has replicas:
// one of them leads, by a lease, and the others wait to take over.
//
// A lease is no fence: a leader that was paused may wake up after another one has
// taken over, and go on for a moment. That does no harm. Publication is a pure
// function, so both make the same commits and tags, and every push says of every
// ref what it must be before: what comes late is a push of what is there already,
// or is refused.
//
// What the replicas share is in one ConfigMap: the report of where destinations
// stand, under the key status, and the last request for a run, in the annotation
// publisher/sync. The leader watches that, so any replica can take webhooks. Who
// may annotate it can ask for a run, too:
//
//	kubectl annotate --overwrite configmap publisher-status publisher/sync="$(date)"
package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"k8s.io/publisher/status"
)

const (
	// statusKey has the report in the ConfigMap.
	statusKey = "status"
	// requested is the annotation with the last request.
	requested = "publisher/sync"
	// component is who changes objects, and whom events are from.
	component = "publisher"
)

// Options say how replicas find each other.
type Options struct {
	// Config is how the API server is reached.
	Config *rest.Config
	// Namespace has the lease and the ConfigMap.
	Namespace string
	// Name is the lease's. The ConfigMap is called as [ConfigMapName] says.
	Name string
	// Identity tells this replica from the others; no two may have the same.
	Identity string
	// LeaseDuration is how long the others wait for a leader that says nothing. A leader
	// gives up after two thirds of it. Zero: 15 seconds.
	LeaseDuration time.Duration
	Log           *slog.Logger
}

// Cluster is one replica's place.
type Cluster struct {
	Options
	core   core.CoreV1Interface
	leases coordination.LeasesGetter
}

// ConfigMapName is the name of the ConfigMap beside a lease.
func ConfigMapName(lease string) string { return lease + "-status" }

// New makes clients; nothing is asked of the server yet.
func New(o Options) (*Cluster, error) {
	if o.LeaseDuration == 0 {
		o.LeaseDuration = 15 * time.Second
	}
	c := &Cluster{Options: o}
	var err error
	if c.core, err = core.NewForConfig(o.Config); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if c.leases, err = coordination.NewForConfig(o.Config); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return c, nil
}

// Lead waits until this replica leads, and calls work then. The context of work
// ends when the lease is lost. When work returns, the lease is given back. Lead goes
// on until ctx ends; work is to see to it that it ends by then, and is waited for.
func (c *Cluster) Lead(ctx context.Context, work func(leading context.Context)) error {
	for ctx.Err() == nil {
		if err := c.term(ctx, work); err != nil {
			return err
		}
	}
	return nil
}

// term is one time of waiting and leading.
func (c *Cluster) term(ctx context.Context, work func(leading context.Context)) error {
	// The lease outlives ctx by the time that work takes to end.
	contending, cancel := context.WithCancel(logr.NewContext(context.WithoutCancel(ctx), c.logger()))
	defer cancel()
	var mu sync.Mutex
	begun, over := false, false
	done := make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: c.Namespace, Name: c.Name},
			Client:     c.leases,
			LockConfig: resourcelock.ResourceLockConfig{Identity: c.Identity},
		},
		LeaseDuration:   c.LeaseDuration,
		RenewDeadline:   c.LeaseDuration * 2 / 3,
		RetryPeriod:     c.LeaseDuration * 2 / 15,
		ReleaseOnCancel: true,
		Name:            c.Name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				mu.Lock()
				begun = !over
				mu.Unlock()
				if begun {
					defer close(done)
					defer cancel()
					work(leading)
				}
			},
			OnStoppedLeading: func() {},
			OnNewLeader: func(identity string) {
				c.Log.Info("a leader is known", "leader", identity, "self", identity == c.Identity)
			},
		},
	})
	if err != nil {
		return fmt.Errorf("take part in the election %s: %w", c.Name, err)
	}
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !begun {
			over = true
			cancel()
		}
	})
	defer stop()
	elector.Run(contending)
	mu.Lock()
	over = true
	mu.Unlock()
	if begun {
		<-done
	}
	return nil
}

// Request asks the leader for a run. It reports true: whether another request waits
// there is not known here.
func (c *Cluster) Request(ctx context.Context, cause string) (bool, error) {
	value := time.Now().UTC().Format(time.RFC3339Nano) + " " + cause
	patch := map[string]any{"metadata": map[string]any{"annotations": map[string]string{requested: value}}}
	if err := c.patch(ctx, patch); err != nil {
		return false, fmt.Errorf("ask the leader for a run: %w", err)
	}
	return true, nil
}

// Requests calls request for each change of what is asked for, until ctx ends. What
// was asked before is answered by the run with which a leader starts.
func (c *Cluster) Requests(ctx context.Context, request func(cause string)) {
	handle := func(before, after *corev1.ConfigMap) {
		if text := after.Annotations[requested]; text != "" && text != before.Annotations[requested] {
			request("request by " + ConfigMapName(c.Name))
		}
	}
	logger := c.logger()
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		Logger:        &logger,
		ListerWatcher: cache.NewListWatchFromClient(c.core.RESTClient(), "configmaps", c.Namespace, fields.OneTermEqualSelector("metadata.name", ConfigMapName(c.Name))),
		ObjectType:    new(corev1.ConfigMap),
		Handler: cache.ResourceEventHandlerDetailedFuncs{
			AddFunc: func(object any, first bool) {
				if added, ok := object.(*corev1.ConfigMap); ok && !first {
					handle(new(corev1.ConfigMap), added)
				}
			},
			UpdateFunc: func(before, after any) {
				old, ok := before.(*corev1.ConfigMap)
				if updated, is := after.(*corev1.ConfigMap); ok && is {
					handle(old, updated)
				}
			},
		},
	})
	controller.RunWithContext(logr.NewContext(ctx, logger))
}

// mostStatus is what a ConfigMap holds, in bytes, with room for the rest of it.
const mostStatus = 1000 << 10

// write writes the report to the ConfigMap.
func (c *Cluster) write(ctx context.Context, s *status.Status) error {
	data, err := s.Encode()
	if err == nil && len(data) > mostStatus {
		err = fmt.Errorf("it has %d bytes, and a ConfigMap holds %d", len(data), mostStatus)
	}
	if err == nil {
		err = c.patch(ctx, map[string]any{"data": map[string]string{statusKey: string(data)}})
	}
	if err != nil {
		return fmt.Errorf("write the status to the ConfigMap %s: %w", ConfigMapName(c.Name), err)
	}
	return nil
}

// patch changes the ConfigMap, and makes it where it is not there.
func (c *Cluster) patch(ctx context.Context, change map[string]any) error {
	name := ConfigMapName(c.Name)
	maps := c.core.ConfigMaps(c.Namespace)
	data, err := json.Marshal(change)
	if err != nil {
		return err
	}
	_, err = maps.Patch(ctx, name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: component})
	if !apierrors.IsNotFound(err) {
		return err
	}
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{FieldManager: component})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	_, err = maps.Patch(ctx, name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: component})
	return err
}

// ErrNoStatus reports a ConfigMap without a report.
var ErrNoStatus = errors.New("no run has left a report there")

// Status reads the report.
func (c *Cluster) Status(ctx context.Context) (*status.Status, error) {
	name := ConfigMapName(c.Name)
	m, err := c.core.ConfigMaps(c.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err == nil && m.Data[statusKey] == "" {
		err = ErrNoStatus
	}
	var s *status.Status
	if err == nil {
		s, err = status.Parse([]byte(m.Data[statusKey]))
	}
	if err != nil {
		return nil, fmt.Errorf("read the status from the ConfigMap %s in the namespace %s: %w", name, c.Namespace, err)
	}
	return s, nil
}

// logger is what the client library logs to.
func (c *Cluster) logger() logr.Logger { return logr.FromSlogHandler(c.Log.Handler()) }
