package cache

import (
	"errors"
	"fmt"
)

// A processor has a store follow what comes out of a queue, and passes on what
// changed. Nobody is told of a change before it is in the store.
type processor struct {
	store   Store
	keyFunc KeyFunc // the store's
	tell    func(notification)
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
				p.tell(notification{kind: updateNotification, old: obj, obj: obj})
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
	n, err := p.plan(delta, isInInitialList)
	if err != nil {
		return err
	}
	switch n.kind {
	case noNotification:
		return nil
	case deleteNotification:
		err = p.store.Delete(n.obj)
	case updateNotification:
		err = p.store.Update(n.obj)
	default:
		err = p.store.Add(n.obj)
	}
	if err != nil {
		return err
	}
	p.tell(n)
	return nil
}

// plan returns what a delta is to who knows what is in the store. It is no
// notification where the store has nothing to delete: servers and what is between
// may send an event twice.
func (p processor) plan(delta Delta, isInInitialList bool) (notification, error) {
	obj := delta.Object
	switch delta.Type {
	case Deleted:
		key, err := p.keyFunc(obj)
		if err != nil {
			return notification{}, KeyError{obj, err}
		}
		if _, exists, err := p.store.GetByKey(key); err != nil || !exists {
			return notification{}, err
		}
		return notification{kind: deleteNotification, obj: obj}, nil
	case Added, Updated, Replaced, Sync:
	default:
		return notification{}, fmt.Errorf("delta of type %q is of a %T", delta.Type, obj)
	}
	old, exists, err := p.store.Get(obj)
	if err != nil {
		return notification{}, err
	}
	if exists {
		return notification{kind: updateNotification, old: old, obj: obj}, nil
	}
	return notification{kind: addNotification, obj: obj, initial: isInInitialList}, nil
}

// batch takes deltas of different objects. All changes are made to the store
// before anybody is told of any.
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
	notifications := make([]notification, 0, len(deltas))
	for _, delta := range deltas {
		n, err := p.plan(delta, isInInitialList)
		if err != nil {
			return err
		}
		if n.kind == noNotification {
			continue
		}
		changes = append(changes, Transaction{n.obj, n.transaction()})
		notifications = append(notifications, n)
	}
	failed := store.Transaction(changes...)
	if failed == nil {
		p.tellAll(notifications)
		return nil
	}
	for _, i := range failed.SuccessfulIndices {
		p.tell(notifications[i])
	}
	return failed
}

func (p processor) tellAll(notifications []notification) {
	for _, n := range notifications {
		p.tell(n)
	}
}

// replaceAll puts a list in place of what is in the store, and tells how the two
// differ.
func (p processor) replaceAll(info ReplacedAllInfo, isInInitialList bool) error {
	listed := make(map[string]bool, len(info.Objects))
	notifications := make([]notification, 0, len(info.Objects))
	for _, obj := range info.Objects {
		key, err := p.keyFunc(obj)
		if err != nil {
			return KeyError{obj, err}
		}
		listed[key] = true
		n, err := p.plan(Delta{Replaced, obj}, isInInitialList)
		if err != nil {
			return err
		}
		notifications = append(notifications, n)
	}
	for _, key := range p.store.ListKeys() {
		if listed[key] {
			continue
		}
		if old, exists, err := p.store.GetByKey(key); err == nil && exists {
			notifications = append(notifications, notification{
				kind: deleteNotification, obj: DeletedFinalStateUnknown{key, old},
			})
		}
	}
	if err := p.store.Replace(info.Objects, info.ResourceVersion); err != nil {
		return err
	}
	p.tellAll(notifications)
	return nil
}
