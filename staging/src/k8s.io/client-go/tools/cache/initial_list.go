package cache

// An initialList follows how much of the first list is left to be processed. The
// queue's lock guards it.
type initialList struct {
	known bool // whether there was a list, or a change
	left  int
	done  chan struct{}
}

func newInitialList() initialList { return initialList{done: make(chan struct{})} }

func (l *initialList) over() bool { return l.known && l.left == 0 }

// none says that a change came before any list.
func (l *initialList) none() { l.some(0) }

// some says that n items are to be processed, if nothing was said before.
func (l *initialList) some(n int) {
	if l.known {
		return
	}
	l.known, l.left = true, n
	if n == 0 {
		close(l.done)
	}
}

func (l *initialList) processed(n int) {
	if l.left == 0 {
		return
	}
	if l.left = max(l.left-n, 0); l.left == 0 {
		close(l.done)
	}
}
