package cache

// A ResourceEventHandler is told of changes. It must not change the objects that
// it is given, nor anything in them: they are the ones in the store.
//
// An update may sum up several changes, or none: after a list, and at a resync,
// there is an update for every object that was known before. A deletion comes with
// a [DeletedFinalStateUnknown] in place of the object if nobody was watching at
// the time.
type ResourceEventHandler interface {
	// OnAdd is told of an object that was not known, and whether it is in the
	// first list.
	OnAdd(obj interface{}, isInInitialList bool)
	// OnUpdate is told of an object as it was and as it is.
	OnUpdate(oldObj, newObj interface{})
	// OnDelete is told of the last state of an object.
	OnDelete(obj interface{})
}

// ResourceEventHandlerFuncs make a handler out of functions. Those that are nil do
// nothing.
type ResourceEventHandlerFuncs struct {
	AddFunc    func(obj interface{})
	UpdateFunc func(oldObj, newObj interface{})
	DeleteFunc func(obj interface{})
}

// OnAdd calls AddFunc.
func (r ResourceEventHandlerFuncs) OnAdd(obj interface{}, isInInitialList bool) {
	if r.AddFunc != nil {
		r.AddFunc(obj)
	}
}

// OnUpdate calls UpdateFunc.
func (r ResourceEventHandlerFuncs) OnUpdate(oldObj, newObj interface{}) {
	if r.UpdateFunc != nil {
		r.UpdateFunc(oldObj, newObj)
	}
}

// OnDelete calls DeleteFunc.
func (r ResourceEventHandlerFuncs) OnDelete(obj interface{}) {
	if r.DeleteFunc != nil {
		r.DeleteFunc(obj)
	}
}

// ResourceEventHandlerDetailedFuncs are [ResourceEventHandlerFuncs] whose AddFunc
// is told whether an object is in the first list.
type ResourceEventHandlerDetailedFuncs struct {
	AddFunc    func(obj interface{}, isInInitialList bool)
	UpdateFunc func(oldObj, newObj interface{})
	DeleteFunc func(obj interface{})
}

// OnAdd calls AddFunc.
func (r ResourceEventHandlerDetailedFuncs) OnAdd(obj interface{}, isInInitialList bool) {
	if r.AddFunc != nil {
		r.AddFunc(obj, isInInitialList)
	}
}

// OnUpdate calls UpdateFunc.
func (r ResourceEventHandlerDetailedFuncs) OnUpdate(oldObj, newObj interface{}) {
	if r.UpdateFunc != nil {
		r.UpdateFunc(oldObj, newObj)
	}
}

// OnDelete calls DeleteFunc.
func (r ResourceEventHandlerDetailedFuncs) OnDelete(obj interface{}) {
	if r.DeleteFunc != nil {
		r.DeleteFunc(obj)
	}
}

// A FilteringResourceEventHandler tells a handler of the objects that pass a
// filter. An object that begins to pass is an addition to the handler, one that
// ceases to pass a deletion. The filter must not change the objects.
type FilteringResourceEventHandler struct {
	FilterFunc func(obj interface{}) bool
	Handler    ResourceEventHandler
}

// OnAdd tells of an object that passes.
func (r FilteringResourceEventHandler) OnAdd(obj interface{}, isInInitialList bool) {
	if r.FilterFunc(obj) {
		r.Handler.OnAdd(obj, isInInitialList)
	}
}

// OnUpdate tells of an object that passes or did.
func (r FilteringResourceEventHandler) OnUpdate(oldObj, newObj interface{}) {
	passes, passed := r.FilterFunc(newObj), r.FilterFunc(oldObj)
	if passes && passed {
		r.Handler.OnUpdate(oldObj, newObj)
	} else if passes {
		r.Handler.OnAdd(newObj, false)
	} else if passed {
		r.Handler.OnDelete(oldObj)
	}
}

// OnDelete tells of an object that passes.
func (r FilteringResourceEventHandler) OnDelete(obj interface{}) {
	if r.FilterFunc(obj) {
		r.Handler.OnDelete(obj)
	}
}
