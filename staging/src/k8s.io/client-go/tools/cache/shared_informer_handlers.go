package cache

import (
	"fmt"
	"time"

	"k8s.io/klog/v2"
)

func (s *sharedIndexInformer) AddEventHandler(handler ResourceEventHandler) (ResourceEventHandlerRegistration, error) {
	return s.AddEventHandlerWithOptions(handler, HandlerOptions{})
}

func (s *sharedIndexInformer) AddEventHandlerWithResyncPeriod(handler ResourceEventHandler, resyncPeriod time.Duration) (ResourceEventHandlerRegistration, error) {
	return s.AddEventHandlerWithOptions(handler, HandlerOptions{ResyncPeriod: &resyncPeriod})
}

func (s *sharedIndexInformer) AddEventHandlerWithOptions(handler ResourceEventHandler, options HandlerOptions) (ResourceEventHandlerRegistration, error) {
	s.changing.Lock() // so that the store and the log's end are of the same moment
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, fmt.Errorf("handler %v was not added to shared informer because it has stopped already", handler)
	}
	h := s.newRunner(handler, options)
	s.handlers[h] = true
	if !s.started {
		return h, nil
	}
	for _, obj := range s.indexer.List() {
		h.backlog.add(notification{kind: addNotification, obj: obj, initial: true})
	}
	if s.told {
		h.backlog.add(notification{kind: syncedNotification})
	}
	s.running.Go(h.run)
	return h, nil
}

func (s *sharedIndexInformer) newRunner(handler ResourceEventHandler, options HandlerOptions) *handlerRunner {
	h := &handlerRunner{
		handler:    handler,
		name:       fmt.Sprintf("%s + event handler %s", s.HasSyncedChecker().Name(), describeHandler(handler)),
		logger:     klog.Background(),
		maxBacklog: options.MaxBacklog,
		log:        s.log,
		synced:     make(chan struct{}),
		cursor:     s.log.end,
	}
	if options.Logger != nil {
		h.logger = *options.Logger
	}
	if h.maxBacklog == 0 {
		h.maxBacklog = DefaultMaxBacklog
	}
	h.metrics = newHandlerMetrics(s.options.Identifier, s.options.InformerMetricsProvider, describeHandler(handler))
	period := s.options.ResyncPeriod
	if options.ResyncPeriod != nil {
		period = *options.ResyncPeriod
	}
	h.requestedResync = s.negotiate(h.logger, period)
	h.resync(s.checkPeriod)
	return h
}

// negotiate returns how often a handler is to be resynced, and has the informer
// check more often if that can still be changed.
func (s *sharedIndexInformer) negotiate(logger klog.Logger, period time.Duration) time.Duration {
	if period > 0 && period < leastResyncPeriod {
		logger.Info("Warning: resync period is too small, using the least", "resyncPeriod", period, "leastResyncPeriod", leastResyncPeriod)
		period = leastResyncPeriod
	}
	if period == 0 || period >= s.checkPeriod {
		return period
	}
	if s.started {
		logger.Info("Warning: resync period is less than what the informer, which has started, checks", "resyncPeriod", period, "resyncCheckPeriod", s.checkPeriod)
		return s.checkPeriod
	}
	s.checkPeriod = period
	for other := range s.handlers {
		other.resync(s.checkPeriod)
	}
	return period
}

// resync decides how often the handler is resynced by an informer that checks
// every so often.
func (h *handlerRunner) resync(checkPeriod time.Duration) {
	h.resyncPeriod = 0
	if h.requestedResync > 0 && checkPeriod > 0 {
		h.resyncPeriod = max(h.requestedResync, checkPeriod)
		h.nextResync = time.Now().Add(h.resyncPeriod)
	}
}

// shouldResync tells whether there are handlers to resync, and notes which.
func (s *sharedIndexInformer) shouldResync() bool {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.round = &resyncRound{members: map[*handlerRunner]bool{}}
	for h := range s.handlers {
		if h.resyncPeriod > 0 && !now.Before(h.nextResync) {
			h.nextResync = now.Add(h.resyncPeriod)
			s.round.members[h] = true
		}
	}
	return len(s.round.members) > 0
}

func (s *sharedIndexInformer) RemoveEventHandler(handle ResourceEventHandlerRegistration) error {
	h, ok := handle.(*handlerRunner)
	if !ok {
		return fmt.Errorf("not the registration of a handler of an informer: %T", handle)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handlers[h] {
		delete(s.handlers, h)
		h.stop()
	}
	return nil
}
