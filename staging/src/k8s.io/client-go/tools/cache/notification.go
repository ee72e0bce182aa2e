package cache

import "k8s.io/apimachinery/pkg/api/meta"

// A notificationKind is the method of a handler to call, or one of those that no
// handler sees.
type notificationKind uint8

const (
	noNotification notificationKind = iota
	addNotification
	updateNotification
	deleteNotification
	syncedNotification // all of the first list is before it
)

// A notification is what a handler is to be told.
type notification struct {
	kind    notificationKind
	initial bool // part of the first list
	old     any  // of an update
	obj     any
}

// tell calls the handler.
func (n notification) tell(handler ResourceEventHandler) {
	switch n.kind {
	case addNotification:
		handler.OnAdd(n.obj, n.initial)
	case updateNotification:
		handler.OnUpdate(n.old, n.obj)
	case deleteNotification:
		handler.OnDelete(n.obj)
	}
}

func (n notification) transaction() TransactionType {
	switch n.kind {
	case deleteNotification:
		return TransactionTypeDelete
	case updateNotification:
		return TransactionTypeUpdate
	}
	return TransactionTypeAdd
}

// changesNothing tells an update of a resync, or of a list that has an object as
// it was before. Clients for tests may not count resource versions: there an object
// is as it was if it is the same one.
func (n notification) changesNothing() bool {
	if n.kind != updateNotification {
		return false
	}
	old, err := meta.Accessor(n.old)
	if err != nil {
		return false
	}
	obj, err := meta.Accessor(n.obj)
	if err != nil || old.GetResourceVersion() != obj.GetResourceVersion() {
		return false
	}
	return obj.GetResourceVersion() != "" || old == obj
}

// then returns one notification that says as much as n and next after it, which
// are of the same object. It is of no kind if the two come to nothing.
func (n notification) then(next notification) notification {
	switch {
	case n.kind == addNotification && next.kind == updateNotification:
		n.obj = next.obj
		return n
	case n.kind == addNotification && next.kind == deleteNotification:
		return notification{}
	case n.kind == updateNotification && next.kind == updateNotification:
		n.obj = next.obj
		return n
	case n.kind == deleteNotification && next.kind == addNotification:
		old := n.obj
		if tombstone, ok := old.(DeletedFinalStateUnknown); ok {
			old = tombstone.Obj
		}
		return notification{kind: updateNotification, old: old, obj: next.obj}
	}
	return next
}
