package bot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/publisher/bot"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/proctest"
	"k8s.io/publisher/publishtest"
	"k8s.io/publisher/schedule"
	"k8s.io/publisher/session"
	"k8s.io/publisher/status"
	"k8s.io/publisher/webhook"
)

const rules = `
rules:
- destination: a
  branches:
  - name: master
    source: {branch: main, dir: a}
- destination: b
  branches:
  - name: master
    source: {branch: main, dir: b}
`

// world is a bot that runs in the test's process, with a source and mirrors.
type world struct {
	*publishtest.World
	bot  *bot.Bot
	url  string
	log  proctest.Output
	told chan told    // what a reporter was told
	wait func() error // until the bot ends by itself
	end  func() error
}

type told struct {
	status *status.Status
	log    string
}

func (w *world) Name() string { return "test" }

func (w *world) Report(_ context.Context, s *status.Status, log string) error {
	w.told <- told{s, log}
	return nil
}

const token = "sesame"

func prepare(t *testing.T) *world {
	t.Helper()
	w := &world{World: publishtest.New(t, rules), told: make(chan told, 100)}
	w.commit("a", "1")
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		w.Must(os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	w.bot = &bot.Bot{
		Session:   session.Options{Rules: write("rules.yaml", rules), Source: w.Source.Dir, Mirrors: w.Mirrors},
		Schedule:  &schedule.Schedule{Interval: time.Hour, Grace: time.Minute},
		Webhooks:  webhook.Handler{TokenFile: write("token", token)},
		Reporters: []bot.Reporter{w},
		Log:       slog.New(slog.NewTextHandler(io.MultiWriter(&w.log, t.Output()), nil)),
	}
	return w
}

// start runs the bot until the test ends, or end is called.
func (w *world) start() {
	w.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.Must(err)
	w.bot.Listener, w.url = l, "http://"+l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.bot.Run(ctx) }()
	w.wait = sync.OnceValue(func() error { return <-ended })
	w.end = func() error { cancel(); return w.wait() }
	w.Cleanup(func() {
		if err := w.end(); err != nil {
			w.Error(err)
		}
	})
}

func (w *world) commit(dir, text string) {
	w.Helper()
	from := ""
	if out, err := exec.Command("git", "-C", w.Source.Dir, "rev-parse", "--verify", "-q", "main").Output(); err == nil {
		from = "from " + string(out)
	}
	cmd := exec.Command("git", "-C", w.Source.Dir, "fast-import", "--quiet")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("commit refs/heads/main\ncommitter C O <c@example.com> %d +0000\ndata 1\nx\n%sM 100644 inline %s/x.go\ndata %d\n%s\n", 1700000000+time.Now().Unix()%1000, from, dir, len(text), text))
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
}

// next is what the reporter is told after the next run.
func (w *world) next() told {
	w.Helper()
	select {
	case t := <-w.told:
		return t
	case <-time.After(time.Minute):
		w.Fatal("no run ends")
		panic("not reached")
	}
}

func (w *world) get(path string) (int, string) {
	w.Helper()
	answer, err := http.Get(w.url + path)
	w.Must(err)
	return w.read(answer)
}

func (w *world) sync() (int, string) {
	w.Helper()
	r, err := http.NewRequest(http.MethodPost, w.url+"/sync", nil)
	w.Must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	w.Must(err)
	return w.read(answer)
}

func (w *world) read(answer *http.Response) (int, string) {
	w.Helper()
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	w.Must(err)
	return answer.StatusCode, string(text)
}

// mustStand checks that a destination's mirror has what the source has.
func (w *world) mustStand(destination string) {
	w.Helper()
	want := w.Source.Git("rev-parse", "main:"+destination)
	if got := w.Git(destination, "rev-parse", "master^{tree}"); strings.TrimSpace(got) != strings.TrimSpace(want) {
		w.Errorf("%s has the tree %s, want %s", destination, got, want)
	}
}

func TestBotPublishesAtTheStartAndOnRequest(t *testing.T) {
	w := prepare(t)
	w.start()
	if s := w.next().status; s.Run.Error != "" || s.Run.Cause != "start" {
		t.Errorf("the first run: %+v", s.Run)
	}
	w.mustStand("a")
	w.commit("b", "2")
	if code, text := w.sync(); code != http.StatusAccepted {
		t.Errorf("%d %s", code, text)
	}
	if s := w.next().status; s.Run.Error != "" || s.Run.Cause != "request" {
		t.Errorf("the second run: %+v", s.Run)
	}
	w.mustStand("b")
	if code, text := w.get("/readyz"); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	if code, text := w.get("/healthz"); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
}

func TestReportIsLeftForStatus(t *testing.T) {
	w := prepare(t)
	w.start()
	want := w.next().status
	w.Must(w.end())
	got, err := status.Read(mirror.WorkDir(w.Mirrors))
	w.Must(err)
	if got.Run != want.Run || len(got.Destinations) != 2 || got.Destinations[0].LastSuccess == nil {
		t.Errorf("the report is %+v, want %+v", got, want)
	}
	head := strings.TrimSpace(w.Git("a", "rev-parse", "master"))
	if b := got.Destinations[0].Branches[0]; b.MirrorHead != head || b.SourceHead != strings.TrimSpace(w.Source.Git("rev-parse", "main")) {
		t.Errorf("the branch is %+v", b)
	}
}

// TestMetricsAreSound has promtool look at what a scrape gets.
func TestMetricsAreSound(t *testing.T) {
	w := prepare(t)
	w.commit("b", "2")
	w.start()
	w.next()
	w.Must(os.RemoveAll(w.Mirror("a")))
	w.Must(os.WriteFile(w.Mirror("a"), []byte("no repository"), 0o666))
	w.sync()
	w.next()
	_, text := w.get("/metrics")
	for _, line := range []string{
		`publisher_runs_total{result="success"} 1`,
		`publisher_runs_total{result="failure"} 1`,
		`publisher_running 0`,
		`publisher_leading 1`,
		`publisher_commits_published_total{destination="a"} 1`,
		`publisher_commits_published_total{destination="b"} 1`,
		`publisher_tags_published_total{destination="b"} 0`,
		`publisher_destination_refs_waiting{destination="a"} 1`,
		`publisher_destination_failing{destination="a"} 1`,
		`publisher_destination_failing{destination="b"} 0`,
		`publisher_failures_total{kind="conflict"} 0`,
		`publisher_stage_duration_seconds_count{stage="publish"} 2`,
		`publisher_notifications_total{receiver="test",result="success"} 2`,
		`publisher_destination_last_success_timestamp_seconds{destination="a"} 1.`,
		`publisher_destination_duration_seconds{destination="b"} `,
		`publisher_last_run_timestamp_seconds 1.`,
		`publisher_run_duration_seconds_count 2`,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("there is no %s in\n%s", line, text)
		}
	}
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func TestFailureIsToldWithTheEndOfTheLog(t *testing.T) {
	w := prepare(t)
	w.bot.Redact = func(text string) string { return strings.ReplaceAll(text, "swordfish", "xxxxx") }
	w.bot.Sync = func(ctx context.Context, o session.Options) (*status.Outcome, error) {
		o.Log.Info("the password is swordfish")
		return &status.Outcome{}, errors.New("swordfish was refused")
	}
	w.start()
	got := w.next()
	if got.status.Run.Error != "xxxxx was refused" {
		t.Errorf("the error is %q", got.status.Run.Error)
	}
	if strings.Contains(got.log, "swordfish") || !strings.Contains(got.log, "the password is xxxxx") || !strings.Contains(got.log, "run="+got.status.Run.ID) {
		t.Errorf("the log is\n%s", got.log)
	}
}

func TestEachLineOfARunHasItsID(t *testing.T) {
	w := prepare(t)
	w.start()
	s := w.next().status
	w.Must(w.end())
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "published") && !strings.Contains(line, "run="+s.Run.ID) {
			t.Errorf("no id in %s", line)
		}
	}
	if !strings.Contains(w.log.String(), "msg=published run="+s.Run.ID) {
		t.Errorf("the log is\n%s", w.log.String())
	}
}

// waiting makes runs wait until they are let go or stopped, and tells when one starts.
func (w *world) waiting() (started chan struct{}, let chan struct{}) {
	started, let = make(chan struct{}, 100), make(chan struct{})
	w.bot.Sync = func(ctx context.Context, o session.Options) (*status.Outcome, error) {
		started <- struct{}{}
		select {
		case <-let:
			return bot.Sync(ctx, o)
		case <-ctx.Done():
			return &status.Outcome{}, ctx.Err()
		}
	}
	return started, let
}

func TestRunThatIsAtWorkEndsBeforeTheBotDoes(t *testing.T) {
	w := prepare(t)
	started, let := w.waiting()
	w.start()
	<-started
	ended := make(chan error)
	go func() { ended <- w.end() }()
	for { // The bot says at once that it takes no more.
		if code, _ := w.get("/readyz"); code == http.StatusServiceUnavailable {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if code, text := w.sync(); code != http.StatusServiceUnavailable {
		t.Errorf("a request that nobody will answer: %d %s", code, text)
	}
	close(let)
	w.Must(<-ended)
	w.mustStand("a")
	if s := w.next().status; s.Run.Error != "" {
		t.Errorf("the run: %+v", s.Run)
	}
}

func TestRunIsAbandonedAfterTheGraceTime(t *testing.T) {
	w := prepare(t)
	w.bot.Schedule.Grace = time.Millisecond
	started, _ := w.waiting()
	w.start()
	<-started
	w.Must(w.end())
	if !strings.Contains(w.log.String(), "the grace time is over") {
		t.Errorf("the log is\n%s", w.log.String())
	}
	select {
	case got := <-w.told:
		t.Errorf("people are told of a restart: %+v", got.status.Run)
	default:
	}
}

func TestRunThatTakesTooLongIsStopped(t *testing.T) {
	w := prepare(t)
	w.bot.Timeout = time.Millisecond
	w.waiting()
	w.start()
	if s := w.next().status; !strings.Contains(s.Run.Error, "the run took longer than 1ms") {
		t.Errorf("the run: %+v", s.Run)
	}
}

func TestBotKnowsWhatTheOneBeforeItDid(t *testing.T) {
	w := prepare(t)
	w.start()
	before := w.next().status
	w.Must(w.end())
	started, let := w.waiting()
	w.start()
	<-started
	_, text := w.get("/metrics")
	want := "publisher_last_run_timestamp_seconds " + strconv.FormatFloat(float64(before.Run.Finished.UnixMilli())/1000, 'g', -1, 64) + "\n"
	if !strings.Contains(text, want) {
		t.Errorf("there is no %s in\n%s", want, text)
	}
	close(let)
}

func TestServerThatFailsEndsTheBot(t *testing.T) {
	w := prepare(t)
	w.start()
	w.next()
	w.Must(w.bot.Listener.Close())
	if err := w.wait(); err == nil || !strings.Contains(err.Error(), "take requests at") {
		t.Errorf("the bot ended with %v", err)
	}
	w.wait = func() error { return nil }
}
