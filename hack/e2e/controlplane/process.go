package controlplane

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A process is one running server. A nil one has ended long ago.
type process struct {
	name, logPath string
	cmd           *exec.Cmd
	done          chan struct{} // closed when the process has ended
	asked         atomic.Bool   // whether we ended it
}

// startProcess runs a program whose output goes to a log file, which is appended
// to, and to also. Where it ends unasked, failed is told.
func startProcess(path string, args []string, logPath string, also io.Writer, failed chan<- error) (*process, error) {
	name := path[strings.LastIndexByte(path, os.PathSeparator)+1:]
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Env = environment()
	cmd.SysProcAttr = childAttributes()
	cmd.Stdout = log // a file is inherited, so that nothing is copied through us
	if also != io.Discard {
		cmd.Stdout = io.MultiWriter(log, also)
	}
	cmd.Stderr = cmd.Stdout
	p := &process{name: name, logPath: logPath, cmd: cmd, done: make(chan struct{})}

	started := make(chan error)
	go func() {
		// Linux tells a child of the death of the thread that started it, not of the
		// process. So that thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		cmd.Wait()
		close(p.done)
		if !p.asked.Load() {
			select {
			case failed <- p.failure():
			default: // of another one's failure already
			}
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// environment is ours without what would change how the servers behave: proxies,
// and settings that etcd takes from ETCD_ variables.
func environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch upper := strings.ToUpper(name); {
		case strings.HasPrefix(upper, "ETCD_"), strings.HasPrefix(upper, "KUBE"),
			upper == "HTTP_PROXY", upper == "HTTPS_PROXY", upper == "ALL_PROXY":
		default:
			env = append(env, kv)
		}
	}
	return env
}

func (p *process) exited() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.done
}

// failure describes how a process ended that should not have.
func (p *process) failure() error {
	<-p.done
	return fmt.Errorf("%s ended: %s; the end of %s:\n%s", p.name, p.cmd.ProcessState, p.logPath, tail(p.logPath))
}

// stop asks the process to end, and kills it if it has not within the time given.
func (p *process) stop(within time.Duration) {
	if p == nil {
		return
	}
	p.asked.Store(true)
	p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		p.kill()
	}
}

// kill ends the process at once; its connections are reset.
func (p *process) kill() {
	if p == nil {
		return
	}
	p.asked.Store(true)
	p.cmd.Process.Kill()
	<-p.done
}

// tail is the last lines of a log, at most 4 kB.
func tail(path string) string {
	const most = 4096
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		f.Seek(max(0, end-most), io.SeekStart)
	}
	data, _ := io.ReadAll(io.LimitReader(f, most))
	if _, rest, ok := bytes.Cut(data, []byte("\n")); ok && len(data) == most {
		data = rest
	}
	return string(data)
}
