package cache

// An UndeltaStore tells of all objects whenever one changes. Where several goroutines
// change it at the same time, it may tell the same twice.
type UndeltaStore struct {
	Store
	// PushFunc is told all objects.
	PushFunc func([]interface{})
}

var _ Store = &UndeltaStore{}

// NewUndeltaStore returns an empty store. Several goroutines may call pushFunc at
// the same time.
func NewUndeltaStore(pushFunc func([]interface{}), keyFunc KeyFunc) *UndeltaStore {
	return &UndeltaStore{Store: NewStore(keyFunc), PushFunc: pushFunc}
}

func (u *UndeltaStore) push(err error) error {
	if err == nil {
		u.PushFunc(u.Store.List())
	}
	return err
}

// Add puts an object and tells.
func (u *UndeltaStore) Add(obj interface{}) error { return u.push(u.Store.Add(obj)) }

// Update puts an object and tells.
func (u *UndeltaStore) Update(obj interface{}) error { return u.push(u.Store.Update(obj)) }

// Delete removes an object and tells.
func (u *UndeltaStore) Delete(obj interface{}) error { return u.push(u.Store.Delete(obj)) }

// Replace puts the objects of a list in place of what is there, and tells.
func (u *UndeltaStore) Replace(list []interface{}, resourceVersion string) error {
	return u.push(u.Store.Replace(list, resourceVersion))
}
