package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection/elector"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/sample-controller/controller"
	"k8s.io/sample-controller/generated/clientset/versioned"
	"k8s.io/sample-controller/generated/clientset/versioned/scheme"
	"k8s.io/sample-controller/metrics"
)

type options struct {
	kubeconfig     string
	namespace      string
	leaseNamespace string
	workers        int
	address        string
}

var errLost = errors.New("lost the lease to another one, or to a server that could not be reached")

// run runs until the context ends, or another one leads.
func run(ctx context.Context, o options) error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return err
	}
	core, err := corev1client.NewForConfig(config)
	if err != nil {
		return err
	}
	pages, err := versioned.NewForConfig(config)
	if err != nil {
		return err
	}

	measured := metrics.New()
	events := record.NewBroadcaster(record.WithContext(ctx))
	defer events.Shutdown()
	events.StartRecordingToSink(&corev1client.EventSinkImpl{Interface: core.Events("")})
	c, err := controller.New(controller.Options{
		Pages:      pages,
		ConfigMaps: core,
		Recorder:   events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: controller.Name}),
		Namespace:  o.namespace,
		Count:      measured.Count,
	})
	if err != nil {
		return err
	}
	// A leader that cannot renew its lease is not well, even before it knows.
	watchdog := elector.NewLeaderHealthzAdaptor(20 * time.Second)
	stop, err := serve(ctx, o.address, measured, watchdog, c.Running)
	if err != nil {
		return err
	}
	defer stop()
	return lead(ctx, config, o, watchdog, func(leading context.Context) error {
		measured.SetLeader(true)
		defer measured.SetLeader(false)
		return c.Run(leading, o.workers)
	})
}

// lead waits until this process leads, and has it work until the context ends or it does
// not lead any more. The lease is given up when the work is done, and not before, so
// that there are never two that work.
func lead(ctx context.Context, config *rest.Config, o options, watchdog *elector.HealthzAdaptor, work func(context.Context) error) error {
	leases, err := coordinationv1.NewForConfig(config)
	if err != nil {
		return err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	identity := hostname + "_" + string(uuid.NewUUID())

	// The election outlasts ctx by the time that the work takes to end.
	election, resign := context.WithCancel(context.WithoutCancel(ctx))
	defer resign()
	started, done := make(chan struct{}), make(chan error, 1)
	context.AfterFunc(ctx, func() {
		select {
		case <-started:
		default:
			resign()
		}
	})
	e, err := elector.NewLeaderElector(elector.LeaderElectionConfig{
		Name: controller.Name,
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: o.leaseNamespace, Name: controller.Name},
			Client:     leases,
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		},
		LeaseDuration:   15 * time.Second,
		RenewDeadline:   10 * time.Second,
		RetryPeriod:     2 * time.Second,
		ReleaseOnCancel: true,
		WatchDog:        watchdog,
		Callbacks: elector.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				close(started)
				working, end := context.WithCancel(leading)
				defer end()
				defer context.AfterFunc(ctx, end)()
				done <- work(working)
				resign()
			},
			OnStoppedLeading: func() {},
			OnNewLeader: func(leader string) {
				klog.FromContext(ctx).Info("There is a leader", "leader", leader, "isMe", leader == identity)
			},
		},
	})
	if err != nil {
		return err
	}
	watchdog.SetLeaderElection(e)
	e.Run(election)
	select {
	case <-started:
		if err := <-done; err != nil {
			return err
		}
	default:
	}
	if ctx.Err() == nil {
		return errLost
	}
	return nil
}

// serve serves what the world wants to know until stop is called.
func serve(ctx context.Context, address string, measured *metrics.Metrics, watchdog *elector.HealthzAdaptor, working func() bool) (stop func(), err error) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", measured.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := watchdog.Check(r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /leader", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, working()) })
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	klog.FromContext(ctx).Info("Serving /healthz, /leader and /metrics", "address", listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener)
	return func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		server.Shutdown(ending)
	}, nil
}
