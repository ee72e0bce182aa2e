package controlplane

import "syscall"

// Children die with us, and signals that a terminal sends to us are ours to
// handle.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
