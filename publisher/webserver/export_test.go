package webserver

import "time"

// SetPatience makes tests quick.
func (s *Server) SetPatience(head, idle, piece, stop time.Duration) {
	s.patience = patience{head: head, idle: idle, piece: piece, stop: stop}
}

// OpenByStep is how files are opened where the operating system has no openat2.
func (s *Server) OpenByStep(name string) error {
	fd, err := openByStep(s.root, name)
	if err != nil {
		return err
	}
	return (&file{fd: fd}).Close()
}

// Break makes answering compressible files panic.
func (s *Server) Break() { s.compressed = nil }
