package cache

// A FakeCustomStore is a store, for tests, made of functions. Methods whose function
// is nil do nothing, and return nothing.
type FakeCustomStore struct {
	AddFunc                          func(obj interface{}) error
	UpdateFunc                       func(obj interface{}) error
	DeleteFunc                       func(obj interface{}) error
	ListFunc                         func() []interface{}
	ListKeysFunc                     func() []string
	GetFunc                          func(obj interface{}) (item interface{}, exists bool, err error)
	GetByKeyFunc                     func(key string) (item interface{}, exists bool, err error)
	ReplaceFunc                      func(list []interface{}, resourceVersion string) error
	ResyncFunc                       func() error
	BookmarkFunc                     func(rv string)
	LastStoreSyncResourceVersionFunc func() string
}

var _ Store = &FakeCustomStore{}

func callWith(f func(any) error, obj any) error {
	if f == nil {
		return nil
	}
	return f(obj)
}

func callFor[T any](f func() T) (result T) {
	if f == nil {
		return result
	}
	return f()
}

func get[K any](f func(K) (any, bool, error), key K) (any, bool, error) {
	if f == nil {
		return nil, false, nil
	}
	return f(key)
}

// Add calls AddFunc.
func (f *FakeCustomStore) Add(obj interface{}) error { return callWith(f.AddFunc, obj) }

// Update calls UpdateFunc.
func (f *FakeCustomStore) Update(obj interface{}) error { return callWith(f.UpdateFunc, obj) }

// Delete calls DeleteFunc.
func (f *FakeCustomStore) Delete(obj interface{}) error { return callWith(f.DeleteFunc, obj) }

// List calls ListFunc.
func (f *FakeCustomStore) List() []interface{} { return callFor(f.ListFunc) }

// ListKeys calls ListKeysFunc.
func (f *FakeCustomStore) ListKeys() []string { return callFor(f.ListKeysFunc) }

// Get calls GetFunc.
func (f *FakeCustomStore) Get(obj interface{}) (item interface{}, exists bool, err error) {
	return get(f.GetFunc, obj)
}

// GetByKey calls GetByKeyFunc.
func (f *FakeCustomStore) GetByKey(key string) (item interface{}, exists bool, err error) {
	return get(f.GetByKeyFunc, key)
}

// Replace calls ReplaceFunc.
func (f *FakeCustomStore) Replace(list []interface{}, resourceVersion string) error {
	if f.ReplaceFunc == nil {
		return nil
	}
	return f.ReplaceFunc(list, resourceVersion)
}

// Resync calls ResyncFunc.
func (f *FakeCustomStore) Resync() error { return callFor(f.ResyncFunc) }

// Bookmark calls BookmarkFunc.
func (f *FakeCustomStore) Bookmark(rv string) {
	if f.BookmarkFunc != nil {
		f.BookmarkFunc(rv)
	}
}

// LastStoreSyncResourceVersion calls LastStoreSyncResourceVersionFunc.
func (f *FakeCustomStore) LastStoreSyncResourceVersion() string {
	return callFor(f.LastStoreSyncResourceVersionFunc)
}
