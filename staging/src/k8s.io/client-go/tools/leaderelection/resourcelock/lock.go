package resourcelock

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// LeasesResourceLock is the type of lock that [New] makes: one in a Lease.
const LeasesResourceLock = "leases"

// EventRecorder takes the events of an election. Recorders of
// k8s.io/client-go/tools/record are such.
type EventRecorder interface {
	Eventf(obj runtime.Object, eventType, reason, message string, args ...interface{})
}

// Interface is a place for the record of an election. Of several who read the same
// record and write then, a lock lets one succeed.
//
// A lock belongs to one candidate, which calls it from one goroutine at a time.
type Interface interface {
	// Get reads the record. The bytes are the record, too; they are compared to
	// find out whether it has changed. Where there is no record yet the error is
	// one for which IsNotFound of k8s.io/apimachinery/pkg/api/errors is true.
	Get(ctx context.Context) (*LeaderElectionRecord, []byte, error)

	// Create writes the first record. It fails where there is one.
	Create(ctx context.Context, ler LeaderElectionRecord) error

	// Update replaces the record that this lock last read or wrote. It fails
	// where the record has changed since.
	Update(ctx context.Context, ler LeaderElectionRecord) error

	// RecordEvent tells users what has happened to the candidate, such as
	// "became leader".
	RecordEvent(string)

	// Identity returns the candidate's name, which no other one has.
	Identity() string

	// Describe names the lock in log lines.
	Describe() string
}

// ResourceLockConfig is what all kinds of locks need.
type ResourceLockConfig struct {
	// Identity is the candidate's name. No other one may have it: two with one
	// name both take the lease for theirs.
	Identity string
	// EventRecorder takes the candidate's events. It may be nil.
	EventRecorder EventRecorder
}

// New returns a lock of a type, which must be [LeasesResourceLock], in the object
// that a namespace and a name say. The client for core/v1 is not used, and may be
// nil.
func New(lockType string, ns string, name string, coreClient corev1.CoreV1Interface, coordinationClient coordinationv1.CoordinationV1Interface, rlc ResourceLockConfig) (Interface, error) {
	return NewWithLabels(lockType, ns, name, coreClient, coordinationClient, rlc, nil)
}

// NewWithLabels is [New] with labels, which the candidate gives to the object
// whenever it writes it.
func NewWithLabels(lockType string, ns string, name string, coreClient corev1.CoreV1Interface, coordinationClient coordinationv1.CoordinationV1Interface, rlc ResourceLockConfig, labels map[string]string) (Interface, error) {
	switch lockType {
	case LeasesResourceLock:
		return &LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: ns, Name: name},
			Client:     coordinationClient,
			LockConfig: rlc,
			Labels:     labels,
		}, nil
	case "endpoints", "configmaps", "endpointsleases", "configmapsleases":
		return nil, fmt.Errorf("there are no locks of type %q any more: use %q", lockType, LeasesResourceLock)
	default:
		return nil, fmt.Errorf("unknown type of lock %q: use %q", lockType, LeasesResourceLock)
	}
}

// NewFromKubeconfig is [New] with a client of its own. Each of the client's
// requests gets half of renewDeadline, but not less than a second, so that one
// that hangs leaves time for another before the lease is lost.
func NewFromKubeconfig(lockType string, ns string, name string, rlc ResourceLockConfig, kubeconfig *rest.Config, renewDeadline time.Duration) (Interface, error) {
	config := *rest.AddUserAgent(rest.CopyConfig(kubeconfig), "leader-election")
	config.Timeout = max(renewDeadline/2, time.Second)
	client, err := coordinationv1.NewForConfig(&config)
	if err != nil {
		return nil, fmt.Errorf("making a client for leader election: %w", err)
	}
	return New(lockType, ns, name, nil, client, rlc)
}
