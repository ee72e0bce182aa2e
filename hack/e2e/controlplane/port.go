package controlplane

// A reservation is a port of the loopback interface that stays ours while the
// server behind it is down: a socket that is bound, does not listen, and shares
// its port. The kernel gives such a port to nobody who did not ask for it, and
// refuses connections to it until the server listens. Elsewhere than on
// Linux nothing is held.
type reservation struct {
	port int
	hold func()
}

func (r *reservation) release() {
	if r != nil && r.hold != nil {
		r.hold()
	}
}
