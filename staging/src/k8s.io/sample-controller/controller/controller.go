package controller

import (
	"context"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/informer"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"k8s.io/sample-controller/apis/pages/v1alpha1"
	"k8s.io/sample-controller/generated/clientset/versioned"
	"k8s.io/sample-controller/generated/informers/externalversions"
	listers "k8s.io/sample-controller/generated/listers/pages/v1alpha1"
)

// Name is who writes, as far as the server knows: the manager of fields and the source
// of events.
const Name = "sample-controller"

// pageLabel is on each ConfigMap of a page, and has its name. So the controller need not
// keep all other ConfigMaps in memory.
const pageLabel = "pages.sample.dev/page"

// A Controller publishes pages.
type Controller struct {
	pageClient versioned.Interface
	maps       corev1client.ConfigMapsGetter
	recorder   record.EventRecorder

	factory     externalversions.SharedInformerFactory
	pages       listers.PageLister
	pagesSynced cache.DoneChecker
	configMaps  *informer.Informer[*corev1.ConfigMap]
	queue       workqueue.TypedRateLimitingInterface[cache.ObjectName]
	running     atomic.Bool
	count       func(result string)
}

// Options are what a controller works with.
type Options struct {
	Pages      versioned.Interface
	ConfigMaps corev1client.ConfigMapsGetter
	Recorder   record.EventRecorder
	// Namespace is where the pages are; empty: everywhere.
	Namespace string
	// Count, if it is not nil, is called with "ok" or "error" after each page.
	Count func(result string)
}

// New returns a controller that does nothing before Run.
func New(options Options) (*Controller, error) {
	c := &Controller{
		pageClient: options.Pages,
		maps:       options.ConfigMaps,
		recorder:   options.Recorder,
		factory: externalversions.NewSharedInformerFactoryWithOptions(options.Pages, 0,
			externalversions.WithNamespace(options.Namespace)),
		configMaps: informer.New[*corev1.ConfigMap](options.ConfigMaps.ConfigMaps(options.Namespace), informer.Options[*corev1.ConfigMap]{
			TweakListOptions: func(o *metav1.ListOptions) { o.LabelSelector = pageLabel },
		}),
		// A page that fails is tried again later and later, and all of them together
		// at ten a second. "pages" is what the queue is called in metrics.
		queue: workqueue.NewTypedRateLimitingQueueWithConfig(
			workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName](),
			workqueue.TypedRateLimitingQueueConfig[cache.ObjectName]{Name: "pages"}),
		count: options.Count,
	}
	if c.count == nil {
		c.count = func(string) {}
	}
	pages := c.factory.Pages().V1alpha1().Pages()
	c.pages = pages.Lister()
	c.pagesSynced = pages.Informer().HasSyncedChecker()

	enqueue := func(obj any) {
		if name, err := cache.DeletionHandlingObjectToName(obj); err == nil {
			c.queue.Add(name)
		}
	}
	if _, err := pages.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, obj any) { enqueue(obj) },
		// A page that is gone needs no work: its ConfigMap is garbage, which the
		// server's collector knows by the owner reference.
	}); err != nil {
		return nil, err
	}
	// A ConfigMap that somebody changed or deleted is to be restored.
	if _, err := c.configMaps.AddHandler(informer.Owners(pageOf, c.queue.Add)); err != nil {
		return nil, err
	}
	return c, nil
}

// pageOf returns the page that a ConfigMap is of.
func pageOf(configMap *corev1.ConfigMap) []cache.ObjectName {
	owner := metav1.GetControllerOf(configMap)
	if owner == nil || owner.Kind != "Page" || owner.APIVersion != v1alpha1.SchemeGroupVersion.String() {
		return nil
	}
	return []cache.ObjectName{cache.NewObjectName(configMap.Namespace, owner.Name)}
}

// Run works with so many workers until the context ends, and returns when they have
// finished what they were at. It can be called once.
func (c *Controller) Run(ctx context.Context, workers int) error {
	var running sync.WaitGroup
	defer running.Wait()
	defer c.factory.Shutdown()
	defer c.queue.ShutDown()

	c.factory.StartWithContext(ctx)
	running.Go(func() { c.configMaps.Run(ctx) })
	// Who begins before everything is known takes what is not known yet for missing.
	if !cache.WaitFor(ctx, "pages and ConfigMaps", c.pagesSynced, c.configMaps.HasSyncedChecker()) {
		return nil
	}
	c.running.Store(true)
	defer c.running.Store(false)
	for range workers {
		// A write that has begun is finished: the context is for what comes next.
		running.Go(func() { c.work(context.WithoutCancel(ctx)) })
	}
	<-ctx.Done()
	return nil
}

// work takes names from the queue until it is shut down.
func (c *Controller) work(ctx context.Context) {
	for {
		name, shutdown := c.queue.Get()
		if shutdown {
			return
		}
		if err := c.reconcile(ctx, name); err != nil {
			klog.FromContext(ctx).Error(err, "Trying again later", "page", name)
			c.count("error")
			c.queue.AddRateLimited(name)
		} else {
			c.count("ok")
			c.queue.Forget(name)
		}
		c.queue.Done(name)
	}
}

// Running reports whether the workers run.
func (c *Controller) Running() bool { return c.running.Load() }
