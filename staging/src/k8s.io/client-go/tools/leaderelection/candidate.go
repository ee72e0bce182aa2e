package leaderelection

import (
	"context"
	"fmt"
	"reflect"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/api/coordination/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	coordinationv1beta1 "k8s.io/client-go/kubernetes/typed/coordination/v1beta1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// LeaseCandidate keeps a LeaseCandidate object, by which a program stands for an
// election that the server coordinates. The server pings the candidates before it
// chooses among them; who does not answer is passed over. An elector whose config
// says Coordinated then renews the lease that the program has been given.
//
// This is an alpha feature of servers: they have the object only where their feature
// gate CoordinatedLeaderElection is on.
type LeaseCandidate struct {
	client   coordinationv1beta1.LeaseCandidateInterface
	wanted   v1beta1.LeaseCandidate
	informer cache.Controller
	changed  chan struct{} // has something in it when there is something to look at
}

// CacheSyncWaiter tells whether a cache has caught up with the server.
type CacheSyncWaiter interface {
	// WaitForCacheSync waits until it has, or until the channel is closed. The
	// result tells for the type in the cache whether it has.
	WaitForCacheSync(stopCh <-chan struct{}) map[reflect.Type]bool
}

// NewCandidate returns a candidate for the lease targetLease in the candidate's
// namespace. The versions, of the program and of the API that it emulates, are what
// the strategy compares. Versions are semantic ones without a leading v.
func NewCandidate(clientset kubernetes.Interface,
	candidateNamespace string,
	candidateName string,
	targetLease string,
	binaryVersion, emulationVersion string,
	strategy coordinationv1.CoordinatedLeaseStrategy,
) (*LeaseCandidate, CacheSyncWaiter, error) {
	client := clientset.CoordinationV1beta1().LeaseCandidates(candidateNamespace)
	c := &LeaseCandidate{
		client:  client,
		changed: make(chan struct{}, 1),
		wanted: v1beta1.LeaseCandidate{
			ObjectMeta: metav1.ObjectMeta{Namespace: candidateNamespace, Name: candidateName},
			Spec: v1beta1.LeaseCandidateSpec{
				LeaseName:        targetLease,
				BinaryVersion:    binaryVersion,
				EmulationVersion: emulationVersion,
				Strategy:         strategy,
			},
		},
	}
	onlyThis := fields.OneTermEqualSelector(metav1.ObjectNameField, candidateName).String()
	look := func(any) { c.look() }
	_, c.informer = cache.NewInformerWithOptions(cache.InformerOptions{
		ObjectType: &v1beta1.LeaseCandidate{},
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
				options.FieldSelector = onlyThis
				return client.List(ctx, options)
			},
			WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
				options.FieldSelector = onlyThis
				return client.Watch(ctx, options)
			},
		}, clientset),
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc: look, DeleteFunc: look, UpdateFunc: func(_, now any) { look(now) },
		},
	})
	return c, candidateSync{c.informer}, nil
}

// Run makes the object, answers pings, and makes the object anew where it was deleted
// or changed, until the context ends. It must be called once only.
func (c *LeaseCandidate) Run(ctx context.Context) {
	defer utilruntime.HandleCrashWithContext(ctx)
	var informer wait.Group
	defer informer.Wait()
	informer.StartWithContext(ctx, c.informer.RunWithContext)

	logger := klog.LoggerWithValues(klog.FromContext(ctx), "leaseCandidate", klog.KObj(&c.wanted))
	c.look()
	pause := newPause()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.changed:
		}
		err := c.ensure(ctx)
		if err == nil {
			pause = newPause()
			continue
		}
		if ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			logger.Error(err, "The lease candidate is not as it should be; trying again")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause.Step()):
			c.look()
		}
	}
}

func newPause() *wait.Backoff {
	return &wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 12, Cap: time.Minute}
}

// look has Run look at the object.
func (c *LeaseCandidate) look() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// ensure makes the object what it should be.
func (c *LeaseCandidate) ensure(ctx context.Context) error {
	now := metav1.NowMicro()
	there, err := c.client.Get(ctx, c.wanted.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		made := c.wanted.DeepCopy()
		made.Spec.RenewTime = &now
		if _, err := c.client.Create(ctx, made, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("creating the lease candidate: %w", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the lease candidate: %w", err)
	}
	next := there.DeepCopy()
	next.Spec.LeaseName = c.wanted.Spec.LeaseName
	next.Spec.BinaryVersion = c.wanted.Spec.BinaryVersion
	next.Spec.EmulationVersion = c.wanted.Spec.EmulationVersion
	next.Spec.Strategy = c.wanted.Spec.Strategy
	if !pingToAnswer(&there.Spec) && reflect.DeepEqual(next.Spec, there.Spec) {
		return nil
	}
	// The ping is dated by the server's clock, and is answered by what is not earlier.
	if ping := next.Spec.PingTime; ping != nil && now.Before(ping) {
		now = *ping
	}
	next.Spec.RenewTime = &now
	if _, err := c.client.Update(ctx, next, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("updating the lease candidate: %w", err)
	}
	return nil
}

// pingToAnswer reports whether the server has asked since the candidate last wrote.
func pingToAnswer(spec *v1beta1.LeaseCandidateSpec) bool {
	return spec.PingTime != nil && (spec.RenewTime == nil || spec.RenewTime.Before(spec.PingTime))
}

type candidateSync struct{ informer cache.Controller }

func (s candidateSync) WaitForCacheSync(stopCh <-chan struct{}) map[reflect.Type]bool {
	synced := s.informer.HasSyncedChecker().Done()
	select {
	case <-synced:
	case <-stopCh:
	}
	return map[reflect.Type]bool{reflect.TypeFor[*v1beta1.LeaseCandidate](): s.informer.HasSynced()}
}
