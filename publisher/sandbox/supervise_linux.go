package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The publisher is started as a supervisor by [newSupervisor], and by nobody else.
func init() {
	if len(os.Args) == 1 && os.Args[0] == supervisorName {
		supervise()
		os.Exit(0)
	}
}

// control is the descriptor of the supervisor's end of the control socket.
const control = 3

// supervise is the supervisor's main function.
func supervise() {
	// Nothing that happens to be open is for the command.
	_ = unix.CloseRange(control, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC)
	file := os.NewFile(control, "control")
	conn, err := net.FileConn(file)
	if err != nil || file.Close() != nil {
		os.Exit(1)
	}
	s := &overseer{control: conn.(*net.UnixConn), from: json.NewDecoder(conn)}
	said := s.run()
	if !s.ready {
		_, _ = s.control.Write([]byte{refused})
	}
	_ = json.NewEncoder(s.control).Encode(said)
}

// overseer is a supervisor at work.
type overseer struct {
	setup
	control *net.UnixConn
	from    *json.Decoder
	ready   bool // that was said
	over    atomic.Pointer[string]
	ended   atomic.Bool
}

func (s *overseer) run() verdict {
	failed := func(doing string, err error) verdict { return verdict{Failed: fmt.Sprintf("%s: %v", doing, err)} }
	if err := s.from.Decode(&s.setup); err != nil {
		return failed("read what to do", err)
	}
	// Where memory runs out before that is noticed here, the publisher is to stay.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("900"), 0)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, new(unix.Rlimit)); err != nil {
		return failed("forbid core files", err)
	}
	var listener *os.File
	if s.Namespaces {
		if err := s.mount(); err != nil {
			return failed("set the file system up", err)
		}
		var err error
		if listener, err = listen(); err != nil {
			return failed("set the network up", err)
		}
	} else if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return failed("adopt orphans", err)
	}
	if err := s.sayReady(listener); err != nil {
		return failed("report", err)
	}
	var env []string
	if err := s.from.Decode(&env); err != nil {
		return failed("read the environment", err)
	}
	if s.Probe {
		return verdict{}
	}
	// The publisher says no more. What comes is its end, or that it gave up.
	go func() {
		_ = s.from.Decode(new(struct{}))
		s.end("cancelled")
	}()
	child, err := s.start(env)
	if err != nil {
		return failed("start the command", err)
	}
	go s.watch()
	return s.await(child)
}

func (s *overseer) sayReady(listener *os.File) error {
	var rights []byte
	if listener != nil {
		rights = unix.UnixRights(int(listener.Fd()))
		defer listener.Close()
	}
	_, _, err := s.control.WriteMsgUnix([]byte{ready}, rights, nil)
	s.ready = err == nil
	return err
}

// listen brings the loopback interface up, and listens on it.
func listen() (*os.File, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(socket)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return nil, err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return l.(*net.TCPListener).File()
}

// start starts the command from a thread that gave up all that it could do.
func (s *overseer) start(env []string) (pid int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the function
		if err = s.surrender(); err != nil {
			return
		}
		var p *os.Process
		p, err = os.StartProcess(s.Args[0], s.Args, &os.ProcAttr{
			Dir: s.Dir, Env: env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Setsid: true},
		})
		if err == nil {
			pid = p.Pid
			_ = p.Release()
		}
	}()
	<-done
	return pid, err
}

// surrender gives up, for the calling thread and what it starts, all capabilities,
// those too that a root user or a program with the set-user-ID bit would get, and a
// part of the processors' time: the supervisor has to be in time.
func (s *overseer) surrender() error {
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 5); err != nil && !errors.Is(err, unix.EACCES) {
		return fmt.Errorf("lower the priority: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid new privileges: %w", err)
	}
	if !s.Namespaces {
		return nil
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("drop ambient capabilities: %w", err)
	}
	for c := uintptr(0); ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) && c > 0 {
			break // The kernel knows no more of them.
		}
		if err != nil {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}

// await waits for the command, and for orphans as they come.
func (s *overseer) await(child int) verdict {
	var status unix.WaitStatus
	for {
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return verdict{Failed: fmt.Sprintf("wait for the command: %v", err)}
		}
		if pid == child && (status.Exited() || status.Signaled()) {
			break
		}
	}
	s.ended.Store(true)
	if !s.Namespaces {
		s.killRest()
	}
	said := verdict{}
	switch over := s.over.Load(); {
	case over != nil:
		said.Over = *over
	case status.Exited():
		said.Code, said.Text = status.ExitStatus(), fmt.Sprintf("exit status %d", status.ExitStatus())
	default:
		said.Code, said.Signal, said.Text = -1, int(status.Signal()), "signal: "+syscall.Signal(status.Signal()).String()
	}
	return said
}

// end ends everything for a reason, of which the first counts.
func (s *overseer) end(why string) {
	s.over.CompareAndSwap(nil, &why)
	if s.Namespaces {
		_ = unix.Kill(-1, unix.SIGKILL) // all but ourselves
		return
	}
	s.killRest()
}

// killRest kills all descendants. Those that are born meanwhile are found in the
// next round, and whoever is killed has no more of them. Groups go first: all of one
// die at once, however fast they multiply.
func (s *overseer) killRest() {
	own := unix.Getpgrp()
	for range 10000 {
		left := descendants()
		if len(left) == 0 {
			return
		}
		groups := make(map[int]bool)
		for _, p := range left {
			if group, err := unix.Getpgid(p.pid); err == nil && group != own && !groups[group] {
				groups[group] = true
				_ = unix.Kill(-group, unix.SIGKILL)
			}
		}
		for _, p := range left {
			_ = unix.Kill(p.pid, unix.SIGKILL)
			// The dead stay until somebody asks; the command itself await waits for.
			if p.dead && s.ended.Load() {
				_, _ = unix.Wait4(p.pid, nil, unix.WNOHANG, nil)
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// interval is how often limits are looked at.
const interval = 40 * time.Millisecond

// watch ends the command where it goes over a limit.
func (s *overseer) watch() {
	for ; ; time.Sleep(interval) {
		var memory int64
		tasks := 0
		for _, p := range descendants() {
			memory += p.memory
			tasks += p.threads
		}
		switch {
		case tasks > s.Limits.Tasks:
			s.end("tasks")
		case memory > s.Limits.Memory:
			s.end("memory")
		}
	}
}
