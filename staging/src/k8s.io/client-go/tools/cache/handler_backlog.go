package cache

// A backlog is what one handler is to be told before it goes on in the log: the
// objects that were there when it was added, and what it was told too much of to
// be left in the log. Of the latter there is one entry for each object:
//
//	add, update    -> add of what it is now
//	add, delete    -> nothing
//	update, update -> update from what it was first to what it is now
//	update, delete -> delete
//	delete, add    -> update
//
// So a backlog has no more entries than there are objects, and objects that the
// handler believes to be there.
type backlog struct {
	entries []backlogEntry
	head    int            // of entries, those before it are done
	holes   int            // entries of no kind from head on
	at      map[string]int // where in entries the key is; nil unless needed
}

type backlogEntry struct {
	key string
	notification
}

func (b *backlog) len() int { return len(b.entries) - b.head - b.holes }

// add appends without combining.
func (b *backlog) add(n notification) {
	b.entries = append(b.entries, backlogEntry{notification: n})
}

// combine adds what comes after all that is there.
func (b *backlog) combine(n notification) {
	key := n.key()
	if key == "" {
		b.add(n)
		return
	}
	if b.at == nil {
		b.index()
	}
	i, found := b.at[key]
	if !found {
		b.at[key] = len(b.entries)
		b.entries = append(b.entries, backlogEntry{key, n})
		return
	}
	combined := b.entries[i].then(n)
	b.entries[i].notification = combined
	if combined.kind == noNotification {
		b.entries[i] = backlogEntry{}
		delete(b.at, key)
		b.holes++
	}
}

// index finds out where which key is, and drops what is done.
func (b *backlog) index() {
	kept := make([]backlogEntry, 0, b.len())
	b.at = make(map[string]int, b.len())
	for _, entry := range b.entries[b.head:] {
		if entry.kind == noNotification {
			continue
		}
		if entry.key == "" {
			entry.key = entry.notification.key()
		}
		if entry.key != "" {
			b.at[entry.key] = len(kept)
		}
		kept = append(kept, entry)
	}
	b.entries, b.head, b.holes = kept, 0, 0
}

// compact gives back what is no longer needed, if that is much.
func (b *backlog) compact() {
	if b.at != nil && b.head+b.holes > len(b.entries)/2 {
		b.index()
	}
}

// next takes the first entry.
func (b *backlog) next() (notification, bool) {
	for b.head < len(b.entries) {
		entry := b.entries[b.head]
		b.entries[b.head] = backlogEntry{}
		b.head++
		if entry.kind == noNotification {
			b.holes--
			continue
		}
		delete(b.at, entry.key)
		return entry.notification, true
	}
	*b = backlog{}
	return notification{}, false
}

// key returns the key of the object, or "" for what is about none.
func (n notification) key() string {
	if n.kind == syncedNotification {
		return ""
	}
	key, err := DeletionHandlingMetaNamespaceKeyFunc(n.obj)
	if err != nil {
		return ""
	}
	return key
}
