package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// supervisorName is what the publisher is called where it is a supervisor.
const supervisorName = "publisher-sandbox"

// setup is what a supervisor is told first. Like all else it comes through the
// control socket, where nobody on the machine can read it.
type setup struct {
	Namespaces                 bool
	Args                       []string
	Dir                        string
	Limits                     Limits
	Writable, Readable, Hidden []string
	// Cover are the folders that are to be empty.
	Cover []string
	Probe bool
}

const (
	ready   = 'r' // with the listener, where there are namespaces
	refused = '!' // and a verdict comes
)

// supervisor is the publisher's end.
type supervisor struct {
	cmd        *exec.Cmd
	namespaces bool
	control    *net.UnixConn
	theirs     *os.File
}

func newSupervisor(_ Command, namespaces bool) (*supervisor, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s := &supervisor{namespaces: namespaces, theirs: os.NewFile(uintptr(ends[1]), "control")}
	ours := os.NewFile(uintptr(ends[0]), "control")
	conn, err := net.FileConn(ours)
	if err := errors.Join(err, ours.Close()); err != nil {
		return nil, errors.Join(err, s.theirs.Close())
	}
	s.control = conn.(*net.UnixConn)
	s.cmd = exec.Command("/proc/self/exe")
	s.cmd.Args = []string{supervisorName}
	s.cmd.Env = []string{}
	s.cmd.Dir = "/"
	s.cmd.ExtraFiles = []*os.File{s.theirs}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if namespaces {
		s.cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
		// The user stays who it is. The supervisor's capabilities are within its
		// namespaces, and the command gets none.
		s.cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		s.cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		s.cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP, unix.CAP_DAC_OVERRIDE, unix.CAP_KILL}
	}
	return s, nil
}

func (s *supervisor) close() error { return errors.Join(s.control.Close(), s.theirs.Close()) }

// started closes what is the supervisor's own now.
func (s *supervisor) started() { _ = s.theirs.Close() }

// end ends the command and all that it has started, and is no more than a hint
// where it has ended.
func (s *supervisor) end() {
	if s.namespaces {
		_ = s.cmd.Process.Kill() // The kernel does the rest.
		return
	}
	_ = s.control.CloseWrite()
}

// wait waits for the supervisor, which ends last.
func (s *supervisor) wait() error {
	late := time.AfterFunc(20*time.Second, func() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	return errors.Join(s.cmd.Wait(), s.control.Close())
}

// talk tells the supervisor what to do and returns how it went.
func (s *supervisor) talk(c Command) (said verdict, err error) {
	to, from := json.NewEncoder(s.control), json.NewDecoder(s.control)
	if err := to.Encode(setup{
		s.namespaces, c.Args, c.Dir, c.Limits, c.Writable, c.Readable, c.Hidden, covered(), c.probe,
	}); err != nil {
		return said, err
	}
	listener, err := s.ready()
	if err != nil {
		return said, err
	}
	if listener == nil && s.namespaces {
		return said, from.Decode(&said)
	}
	defer listener.Close()
	env := c.Env
	if c.Serve != nil {
		env = append(slices.Clone(env), c.Serve(listener)...)
	}
	if err := to.Encode(env); err != nil {
		return said, err
	}
	err = from.Decode(&said)
	return said, err
}

// ready waits until the sandbox stands, and returns the listener: one in the network
// that the command has. It is nil where the sandbox could not be set up.
func (s *supervisor) ready() (net.Listener, error) {
	word, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	n, size, _, _, err := s.control.ReadMsgUnix(word, rights)
	if err != nil {
		return nil, err
	}
	switch {
	case n == 0:
		return nil, io.ErrUnexpectedEOF
	case word[0] == refused:
		return nil, nil
	case !s.namespaces:
		return net.Listen("tcp4", "127.0.0.1:0")
	}
	messages, err := unix.ParseSocketControlMessage(rights[:size])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("no listener came: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("no listener came: %w", err)
	}
	unix.CloseOnExec(fds[0])
	file := os.NewFile(uintptr(fds[0]), "listener")
	l, err := net.FileListener(file)
	return l, errors.Join(err, file.Close())
}

// covered are the folders where people and services keep what is theirs: files that
// a program has no business with, and sockets, by which it could have others do what
// it may not.
func covered() (dirs []string) {
	all := []string{"/home", "/root", "/tmp", "/var/tmp", "/run", "/var/run", os.TempDir()}
	if home, err := os.UserHomeDir(); err == nil {
		all = append(all, home)
	}
	slices.Sort(all)
	for _, dir := range all {
		dir, err := real(dir)
		within := func(other string) bool {
			rel, err := filepath.Rel(other, dir)
			return err == nil && filepath.IsLocal(rel)
		}
		if err == nil && dir != "/" && !slices.ContainsFunc(dirs, within) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// try sets a sandbox up and takes it down again.
func try(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "sandbox-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := Command{Dir: dir, Writable: []string{dir}, Limits: Limits{Time: time.Minute}, probe: true}
	if err := c.resolve(); err != nil {
		return err
	}
	return run(ctx, c, true)
}
