package elector

import "sync"

// A reporter tells of new leaders, in order, without having Run wait for whoever is
// told. Its goroutine ends when there is nothing more to tell.
type reporter struct {
	report func(identity string)

	mu      sync.Mutex
	last    string
	waiting []string
	busy    bool
}

// see takes in who leads. Nobody is not reported, but after it everybody is new.
func (r *reporter) see(leader string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if leader == r.last {
		return
	}
	r.last = leader
	if leader == "" || r.report == nil {
		return
	}
	r.waiting = append(r.waiting, leader)
	if !r.busy {
		r.busy = true
		go r.tell()
	}
}

func (r *reporter) tell() {
	for {
		r.mu.Lock()
		if len(r.waiting) == 0 {
			r.busy = false
			r.mu.Unlock()
			return
		}
		leader := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.mu.Unlock()
		r.report(leader)
	}
}
