package cache

import (
	"errors"
	"fmt"
)

// A processor has a store and a handler follow what comes out of a queue.
type processor struct {
	store   Store
	handler ResourceEventHandler
	keyFunc KeyFunc // the store's
}

// process takes the Deltas of one object, or one delta that is about many.
func (p processor) process(obj any, isInInitialList bool) error {
	deltas, ok := obj.(Deltas)
	if !ok {
		return errors.New("object given as Process argument is not Deltas")
	}
	for _, delta := range deltas {
		var err error
		switch info := delta.Object.(type) {
		case ReplacedAllInfo:
			err = p.replaceAll(info, isInInitialList)
		case SyncAllInfo:
			for _, obj := range p.store.List() {
				p.handler.OnUpdate(obj, obj)
			}
		case BookmarkInfo:
			p.store.Bookmark(info.ResourceVersion)
		default:
			err = p.one(delta, isInInitialList)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p processor) one(delta Delta, isInInitialList bool) error {
	change, tell, err := p.plan(delta, isInInitialList)
	if err != nil {
		return err
	}
	switch change.Type {
	case TransactionTypeDelete:
		err = p.store.Delete(change.Object)
	case TransactionTypeUpdate:
		err = p.store.Update(change.Object)
	default:
		err = p.store.Add(change.Object)
	}
	if err != nil {
		return err
	}
	tell()
	return nil
}

// plan returns what a delta does to the store, and what to call once that is
// done.
func (p processor) plan(delta Delta, isInInitialList bool) (Transaction, func(), error) {
	obj := delta.Object
	switch delta.Type {
	case Deleted:
		return Transaction{obj, TransactionTypeDelete}, func() { p.handler.OnDelete(obj) }, nil
	case Added, Updated, Replaced, Sync:
	default:
		return Transaction{}, nil, fmt.Errorf("delta of type %q is of a %T", delta.Type, obj)
	}
	old, exists, err := p.store.Get(obj)
	if err != nil {
		return Transaction{}, nil, err
	}
	if exists {
		return Transaction{obj, TransactionTypeUpdate}, func() { p.handler.OnUpdate(old, obj) }, nil
	}
	return Transaction{obj, TransactionTypeAdd}, func() { p.handler.OnAdd(obj, isInInitialList) }, nil
}

// batch takes deltas of different objects. All changes are made to the store
// before the handler is told of any.
func (p processor) batch(deltas []Delta, isInInitialList bool) error {
	store, ok := p.store.(TransactionStore)
	if !ok {
		for _, delta := range deltas {
			if err := p.one(delta, isInInitialList); err != nil {
				return err
			}
		}
		return nil
	}
	changes := make([]Transaction, 0, len(deltas))
	tell := make([]func(), 0, len(deltas))
	for _, delta := range deltas {
		change, t, err := p.plan(delta, isInInitialList)
		if err != nil {
			return err
		}
		changes, tell = append(changes, change), append(tell, t)
	}
	failed := store.Transaction(changes...)
	if failed == nil {
		for _, t := range tell {
			t()
		}
		return nil
	}
	for _, i := range failed.SuccessfulIndices {
		tell[i]()
	}
	return failed
}

// replaceAll puts a list in place of what is in the store, and tells the handler
// how the two differ.
func (p processor) replaceAll(info ReplacedAllInfo, isInInitialList bool) error {
	listed := make(map[string]bool, len(info.Objects))
	tell := make([]func(), 0, len(info.Objects))
	for _, obj := range info.Objects {
		key, err := p.keyFunc(obj)
		if err != nil {
			return KeyError{obj, err}
		}
		listed[key] = true
		_, t, err := p.plan(Delta{Replaced, obj}, isInInitialList)
		if err != nil {
			return err
		}
		tell = append(tell, t)
	}
	for _, key := range p.store.ListKeys() {
		if listed[key] {
			continue
		}
		if old, exists, err := p.store.GetByKey(key); err == nil && exists {
			tell = append(tell, func() { p.handler.OnDelete(DeletedFinalStateUnknown{key, old}) })
		}
	}
	if err := p.store.Replace(info.Objects, info.ResourceVersion); err != nil {
		return err
	}
	for _, t := range tell {
		t()
	}
	return nil
}
