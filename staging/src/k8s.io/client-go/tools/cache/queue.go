package cache

import (
	"errors"
)

// A ReflectorStore is what a reflector needs of a store.
type ReflectorStore interface {
	// Add puts an object.
	Add(obj interface{}) error

	// Update puts an object.
	Update(obj interface{}) error

	// Delete removes the object with the same key as obj, which is its last
	// state.
	Delete(obj interface{}) error

	// Replace puts the objects of a list, which is of a resource version, in
	// place of what is there. The list is the store's from then on.
	Replace([]interface{}, string) error

	// Resync goes through all objects once more, if that means anything.
	Resync() error
}

// A TransformingStore transforms objects before it stores them. A reflector that
// has to hold objects for a while before they go to the store has them
// transformed at once.
type TransformingStore interface {
	ReflectorStore
	Transformer() TransformFunc
}

// A ReflectorBookmarkStore is told of the bookmarks that a reflector gets.
type ReflectorBookmarkStore interface {
	Bookmark(resourceVersion string) error
}

// A ResourceVersionUpdater is told of the resource version of every event of a
// watch, after the event. That of a list comes with Replace.
type ResourceVersionUpdater interface {
	UpdateResourceVersion(resourceVersion string)
}

// A Queue has what is put into it come out again, to be processed. Any number of
// goroutines may put something in; one takes it out.
type Queue interface {
	ReflectorStore

	// Pop waits until there is something, and has it processed. It returns
	// what that was, and the error of the function. If the queue is closed, it
	// returns ErrFIFOClosed.
	Pop(PopProcessFunc) (interface{}, error)

	// HasSynced tells whether all of the first list has been processed.
	HasSynced() bool

	// HasSyncedChecker is done when all of the first list has been processed.
	HasSyncedChecker() DoneChecker

	// Close has Pop return when nothing is left.
	Close()
}

// A QueueWithBatch can have several changes processed at once.
type QueueWithBatch interface {
	Queue

	// PopBatch waits until there is something, and has as much of it
	// processed at once as can be: by processBatch, or by processSingle if it
	// is one change. Both must come to the same.
	PopBatch(processBatch ProcessBatchFunc, processSingle PopProcessFunc) error
}

// A PopProcessFunc processes what comes out of a queue. It is told whether that
// is a part of the first list.
type PopProcessFunc func(obj interface{}, isInInitialList bool) error

// A ProcessFunc processes what comes out of the queue of a controller.
type ProcessFunc func(obj interface{}, isInInitialList bool) error

// A ProcessBatchFunc processes changes to objects of which no two are the same.
// If it can process only some of them, it returns a [TransactionError].
type ProcessBatchFunc func(deltas []Delta, isInInitialList bool) error

// ErrFIFOClosed is returned by the Pop of a queue that is closed.
var ErrFIFOClosed = errors.New("DeltaFIFO: manipulating with closed queue")

// A DeltaType tells what happened to an object.
type DeltaType string

const (
	Added   DeltaType = "Added"
	Updated DeltaType = "Updated"
	Deleted DeltaType = "Deleted"
	// Replaced is for an object in a list. It may be new, or have changed, or
	// not.
	Replaced DeltaType = "Replaced"
	// ReplacedAll is for a list as a whole, a [ReplacedAllInfo]. What is not
	// in it is gone.
	ReplacedAll DeltaType = "ReplacedAll"
	// Sync is for an object that has not changed, but is to be looked at once
	// more.
	Sync DeltaType = "Sync"
	// SyncAll has all objects looked at once more. It comes with a
	// [SyncAllInfo].
	SyncAll DeltaType = "SyncAll"
	// Bookmark is for a resource version at which no object changed, a
	// [BookmarkInfo].
	Bookmark DeltaType = "Bookmark"
)

// A Delta is something that happened, and the object as it was after that. For a
// deletion it is the object as it was before.
type Delta struct {
	Type   DeltaType
	Object interface{}
}

// Deltas are what happened to an object, the oldest first.
type Deltas []Delta

// Oldest returns the first delta, or nil if there is none.
func (d Deltas) Oldest() *Delta {
	if len(d) == 0 {
		return nil
	}
	return &d[0]
}

// Newest returns the last delta, or nil if there is none.
func (d Deltas) Newest() *Delta {
	if len(d) == 0 {
		return nil
	}
	return &d[len(d)-1]
}

// A ReplacedAllInfo is a list, transformed, and its resource version.
type ReplacedAllInfo struct {
	ResourceVersion string
	Objects         []interface{}
}

// A BookmarkInfo is a resource version.
type BookmarkInfo struct {
	ResourceVersion string
}

// A SyncAllInfo says nothing more.
type SyncAllInfo struct{}
