//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"syscall"
)

// supervisor is nobody: the command is on its own, in a process group. Time and
// output have limits, memory and tasks have none, and what leaves the group lives on.
type supervisor struct {
	cmd      *exec.Cmd
	listener net.Listener
}

func newSupervisor(c Command, _ bool) (*supervisor, error) {
	s := &supervisor{cmd: exec.Command(c.Args[0])}
	s.cmd.Args, s.cmd.Dir = c.Args, c.Dir
	s.cmd.Env = append([]string{}, c.Env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.Serve != nil {
		var err error
		if s.listener, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
			return nil, err
		}
		s.cmd.Env = append(s.cmd.Env, c.Serve(s.listener)...)
	}
	return s, nil
}

func (s *supervisor) close() error {
	if s.listener == nil {
		return nil
	}
	return s.listener.Close()
}

func (s *supervisor) started() {}

func (s *supervisor) end() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) }

func (s *supervisor) wait() error { return s.close() }

func (s *supervisor) talk(Command) (said verdict, err error) {
	err = s.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		said.Code, said.Text, err = exit.ExitCode(), exit.Error(), nil
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			said.Signal = int(status.Signal())
		}
	}
	return said, err
}

func try(context.Context) error {
	return errors.New("this is not Linux")
}
