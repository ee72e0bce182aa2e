package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/publisher/sandbox"
)

// kinds are the two ways to run a command.
var kinds = map[string]sandbox.Isolation{"isolated": sandbox.Required, "limits only": sandbox.LimitsOnly}

// both runs a test in both ways.
func both(t *testing.T, test func(t *testing.T, isolation sandbox.Isolation)) {
	for name, isolation := range kinds {
		t.Run(name, func(t *testing.T) { test(t, isolation) })
	}
}

// script is a command for bash in a folder of its own.
func script(t *testing.T, isolation sandbox.Isolation, text string) (sandbox.Command, *bytes.Buffer) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out := new(bytes.Buffer)
	return sandbox.Command{
		Args: []string{bash, "-c", text}, Dir: dir, Writable: []string{dir}, Output: out, Isolation: isolation,
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir},
	}, out
}

// alive returns the processes, zombies aside, that have a word in their arguments.
func alive(t *testing.T, word string) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if args, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")); err == nil && bytes.Contains(args, []byte(word)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// unique is a word that is in no other process's arguments.
func unique(t *testing.T) string {
	return fmt.Sprintf("canary-%d-%s", os.Getpid(), strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()))
}

func TestCommandHasNothingButItsOwnEnvironment(t *testing.T) {
	t.Setenv("PUBLISHER_TOKEN", "environment-canary")
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		c, out := script(t, isolation, `env; for f in /proc/[0-9]*/environ; do tr '\0' '\n' <$f 2>/dev/null; done; [ -e /proc/$$/fd/3 ] && echo open; true`)
		if isolation == sandbox.LimitsOnly {
			c.Args[2] = `env; [ -e /proc/$$/fd/3 ] && echo open; true`
		}
		if err := sandbox.Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "canary") {
			t.Errorf("the command could see\n%s", out)
		}
		if strings.Contains(out.String(), "\nopen\n") {
			t.Errorf("something is open that the command should not have:\n%s", out)
		}
	})
}

func TestCommandSeesNobodysFiles(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	kept := t.TempDir()
	shown := filepath.Join(kept, "shown")
	hidden := filepath.Join(kept, "hidden")
	for _, name := range []string{secret, shown, hidden} {
		if err := os.WriteFile(name, []byte("file-canary\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	if err := os.WriteFile(filepath.Join(home, ".netrc"), []byte("home-canary\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c, out := script(t, sandbox.Required, fmt.Sprintf(`
cat %s && echo shown >&2
cat %s %s %s/.netrc
ls -a /tmp /run %s
touch /usr/x %s/x
echo x >/proc/sys/kernel/core_pattern
ls /dev; head -c1 /dev/zero | od -c
touch "$HOME/mine" && ls
`, shown, secret, hidden, home, home, kept))
	c.Env = append(c.Env, "LC_ALL=C")
	c.Readable, c.Hidden = []string{kept}, []string{hidden, filepath.Join(kept, "nonesuch")}
	if err := sandbox.Run(t.Context(), c); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(out.String(), "canary"); n != 1 {
		t.Errorf("saw %d files, and should see one:\n%s", n, out)
	}
	for _, want := range []string{"/usr/x': Read-only", kept + "/x': Read-only", "core_pattern: Read-only", "mine"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "mine")); err != nil {
		t.Error(err)
	}
}

func TestCommandHasNoCapability(t *testing.T) {
	c, out := script(t, sandbox.Required, `grep -E '^(Cap|NoNewPrivs)' /proc/self/status; mount -t tmpfs none /usr; umount /tmp; unshare -Urm umount /tmp`)
	if err := sandbox.Run(t.Context(), c); err == nil {
		t.Error("it could umount")
	}
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(line, ":")
		if strings.HasPrefix(key, "Cap") && strings.Trim(value, "\t0\n") != "" || key == "NoNewPrivs" && strings.TrimSpace(value) != "1" {
			t.Errorf("it has %s", line)
		}
	}
}

func TestCommandReachesOneServerAndNothingElse(t *testing.T) {
	outside, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	go func() { _ = http.Serve(outside, http.NotFoundHandler()) }()
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		c, out := script(t, isolation, `
exec 3<>/dev/tcp/${ADDRESS/:/\/} && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && cat <&3
(exec 4<>/dev/tcp/`+strings.Replace(outside.Addr().String(), ":", "/", 1)+`) 2>/dev/null && echo got out
(exec 4<>/dev/tcp/192.0.2.1/80) 2>/dev/null && echo got out
true`)
		c.Limits.Time = time.Minute
		if isolation == sandbox.LimitsOnly {
			c.Args[2] = strings.ReplaceAll(c.Args[2], "(exec", ": (exec")
			c.Args[2] = strings.Split(c.Args[2], "\n: ")[0]
		}
		c.Serve = func(l net.Listener) []string {
			go func() {
				_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello from outside\n") }))
			}()
			return []string{"ADDRESS=" + l.Addr().String()}
		}
		if err := sandbox.Run(t.Context(), c); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if !strings.Contains(out.String(), "hello from outside") || strings.Contains(out.String(), "got out") {
			t.Errorf("it reached\n%s", out)
		}
	})
}

// over runs a command that must be ended for having too much of something.
func over(t *testing.T, c sandbox.Command, what string) {
	t.Helper()
	start := time.Now()
	err := sandbox.Run(t.Context(), c)
	limit, ok := errors.AsType[*sandbox.LimitError](err)
	if !ok || limit.What != what {
		t.Fatalf("%v, want the limit of %s", err, what)
	}
	t.Logf("%v after %v", err, time.Since(start).Round(time.Millisecond))
}

func TestForkBombIsEnded(t *testing.T) {
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		word := unique(t)
		c, _ := script(t, isolation, `f() { bash -c "sleep 1000; : `+word+`" & f & f & wait; }; f`)
		c.Limits.Tasks = 200
		over(t, c, "tasks")
		if left := alive(t, word); len(left) > 0 {
			t.Errorf("processes %v live on", left)
		}
	})
}

func TestThreadsCountAsTasks(t *testing.T) {
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		c, _ := script(t, isolation, `for i in $(seq 50); do sleep 1000 & done; wait`)
		c.Limits.Tasks = 49
		over(t, c, "tasks")
	})
}

func TestMemoryEaterIsEnded(t *testing.T) {
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		// Two of them, as it is the sum that counts.
		c, _ := script(t, isolation, `eat() { head -c 50000000 /dev/zero | tail; sleep 1000; }; x=$(head -c 60000000 /dev/zero | tr '\0' x); (y=${x}y; sleep 1000) & wait`)
		c.Limits.Memory = 100 << 20
		over(t, c, "memory")
	})
}

func TestFloodOfOutputIsEnded(t *testing.T) {
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		c, out := script(t, isolation, `yes`)
		c.Limits.Output = 1 << 20
		over(t, c, "output")
		if out.Len() != 1<<20 {
			t.Errorf("%d bytes came through", out.Len())
		}
	})
}

func TestSleeperIsEnded(t *testing.T) {
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		word := unique(t)
		c, _ := script(t, isolation, `trap '' TERM INT HUP; setsid bash -c 'sleep 1000; : `+word+`' & wait`)
		c.Limits.Time = 300 * time.Millisecond
		over(t, c, "time")
		if left := alive(t, word); len(left) > 0 {
			t.Errorf("processes %v live on", left)
		}
	})
}

func TestNoProcessIsLeftBehind(t *testing.T) {
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		word := unique(t)
		// Not in its group, nor its session, nor its child, and deaf.
		c, _ := script(t, isolation, `
trap '' TERM INT HUP
(setsid bash -c 'trap "" TERM HUP; (setsid bash -c "sleep 1000; : `+word+`" &) ; sleep 1000; : `+word+`' >/dev/null 2>&1 &)
until [ $(grep -lc `+word+` /proc/[0-9]*/cmdline 2>/dev/null | wc -l) -ge 3 ]; do sleep 0.05; done
exit 7`)
		err := sandbox.Run(t.Context(), c)
		exit, ok := errors.AsType[*sandbox.ExitError](err)
		if !ok || exit.Code != 7 || !exit.Exited() {
			t.Errorf("%v, want exit status 7", err)
		}
		if left := alive(t, word); len(left) > 0 {
			t.Errorf("processes %v live on", left)
		}
	})
}

func TestCancelEndsEverything(t *testing.T) {
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		word := unique(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c, _ := script(t, isolation, `setsid bash -c 'sleep 1000; : `+word+`' & echo started; wait`)
		c.Output = writer(func(data []byte) {
			if bytes.Contains(data, []byte("started")) {
				cancel()
			}
		})
		if err := sandbox.Run(ctx, c); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that it was cancelled", err)
		}
		if left := alive(t, word); len(left) > 0 {
			t.Errorf("processes %v live on", left)
		}
	})
}

type writer func([]byte)

func (w writer) Write(data []byte) (int, error) { w(data); return len(data), nil }

func TestEndOfACommandIsToldAsItWas(t *testing.T) {
	both(t, func(t *testing.T, isolation sandbox.Isolation) {
		for text, want := range map[string]string{
			"exit 3": "exit status 3", "bash -c 'kill -9 $$'; exit $?": "exit status 137", "kill -9 $$": "signal: killed", "true": "<nil>",
		} {
			c, _ := script(t, isolation, text)
			if err := sandbox.Run(t.Context(), c); fmt.Sprint(err) != want {
				t.Errorf("%s: %v, want %s", text, err, want)
			}
		}
		c, _ := script(t, isolation, "")
		c.Args[0] = "/nonesuch"
		err := sandbox.Run(t.Context(), c)
		if _, ok := errors.AsType[*sandbox.ExitError](err); ok || err == nil || !strings.Contains(err.Error(), "/nonesuch") {
			t.Errorf("%v, want that there is no /nonesuch", err)
		}
	})
}
