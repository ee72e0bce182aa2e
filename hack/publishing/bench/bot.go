package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/publisher/gitserver"
)

// botTimes are how long the bot took, sorted: publisher run, with the source and a
// remote for each mirror on a server of git over https.
type botTimes struct {
	// Idle is from a request to the end of its run, with nothing new.
	Idle []time.Duration
	// News is from the webhook of a commit in one directory until it is on the remote.
	News []time.Duration
}

// What is asked of the bot.
const (
	idleLimit = time.Second
	newsLimit = 2 * time.Second
)

// botSecret is that of the webhook and of the server.
const botSecret = "benchmark"

// measureBot runs the bot from what save has kept.
func (o ours) measureBot(ctx context.Context, s subject, saved string, p place, runs int) (times botTimes, err error) {
	progress("the bot: starting a server and remotes")
	if err := synced(s, saved)(ctx, p); err != nil {
		return times, err
	}
	defer os.RemoveAll(string(p))
	err = errors.New("the servers do not start")
	// The servers are those of tests, and end as a benchmark does. It takes longer than
	// the second that benchmarks are repeated for.
	testing.Benchmark(func(b *testing.B) {
		if err == nil {
			return
		}
		var bot *runningBot
		if bot, err = o.startBot(b, s, p); err != nil {
			return
		}
		times, err = bot.measure(ctx, s, runs)
	})
	return times, err
}

// runningBot is a bot at work.
type runningBot struct {
	url, sourceURL string
	source         string // its folder
	remote         string // the folder of the measured directory's
	branch         string
	ended          chan error // tells of the end of each run
}

// startBot starts the servers and the bot, which end with the benchmark.
func (o ours) startBot(b *testing.B, s subject, p place) (*runningBot, error) {
	remotes := gitserver.New(b)
	var measured *runningBot
	for _, rule := range s.all.Rules {
		remotes.Create(rule.Destination)
		dir := remotes.Dir(rule.Destination)
		if err := errors.Join(os.RemoveAll(dir), os.Rename(filepath.Join(p.mirrors(), filepath.FromSlash(rule.Destination), "mirror.git"), dir)); err != nil {
			return nil, err
		}
		// The bot has a working copy of each.
		if err := runQuietly(b.Context(), "cp", "-a", dir, filepath.Join(p.mirrors(), filepath.FromSlash(rule.Destination), "mirror.git")); err != nil {
			return nil, err
		}
		remotes.Git(rule.Destination, "config", "http.receivepack", "true")
		for _, branch := range rule.Branches {
			if branch.Source.Branch == s.branch && slices.Contains(branch.Source.Directories(), s.dir) {
				measured = &runningBot{remote: dir, branch: branch.Name}
			}
		}
	}
	if measured == nil {
		return nil, fmt.Errorf("no rule publishes %s of %s", s.dir, s.branch)
	}
	measured.source = filepath.Join(remotes.Root, "source.git")
	if err := os.Rename(p.source(), measured.source); err != nil {
		return nil, err
	}
	server := remotes.HTTP()
	server.Set(func(s *gitserver.HTTP) { s.Password = botSecret })
	measured.sourceURL = server.URL + "/source.git"
	secret, credentials := filepath.Join(string(p), "secret"), filepath.Join(string(p), "credentials.yaml")
	entry := fmt.Sprintf("- {url: %q, token-file: secret, ca-file: %q}\n", server.URL, server.CA)
	if err := errors.Join(os.WriteFile(secret, []byte(botSecret), 0o600), os.WriteFile(credentials, []byte(entry), 0o600)); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	measured.url = "http://" + address
	cmd := exec.Command(o.binary, "run", "--rules", s.rules, "--source", measured.sourceURL, "--mirrors", p.mirrors(),
		"--remote", server.Template, "--credentials", credentials, "--listen", address,
		"--token-file", secret, "--github-secret-file", secret, "--log-format", "json")
	// The source is fetched with the user's own git.
	home := filepath.Join(string(p), "home")
	netrc := "machine 127.0.0.1 login bot password " + botSecret + "\n"
	if err := errors.Join(os.MkdirAll(home, 0o700), os.WriteFile(filepath.Join(home, ".netrc"), []byte(netrc), 0o600)); err != nil {
		return nil, err
	}
	cmd.Env = append(append(os.Environ(), p.env()...), "HOME="+home, "GIT_SSL_CAINFO="+server.CA)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	measured.ended = make(chan error, 100)
	read := make(chan struct{})
	go func() {
		defer close(read)
		measured.read(log)
	}()
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-read
		_ = cmd.Wait() // All that is asked of it is done.
	})
	return measured, nil
}

// read tells of what the log says, until it ends.
func (r *runningBot) read(log io.Reader) {
	defer close(r.ended)
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry struct{ Msg, Error string }
		_ = json.Unmarshal(lines.Bytes(), &entry) // What is no entry says nothing of runs.
		switch entry.Msg {
		case "the run has ended":
			r.ended <- nil
		case "the run has failed":
			r.ended <- errors.New(entry.Error)
		}
	}
}

// measure has the bot run with nothing new, and with a new commit, so many times each.
func (r *runningBot) measure(ctx context.Context, s subject, runs int) (times botTimes, err error) {
	progress("the bot: its first run fetches the source")
	if err := r.runEnds(ctx); err != nil {
		return times, err
	}
	for range runs {
		start := time.Now()
		if err := r.post(ctx, "/sync", nil, "Authorization", "Bearer "+botSecret); err != nil {
			return times, err
		}
		if err := r.runEnds(ctx); err != nil {
			return times, err
		}
		times.Idle = append(times.Idle, time.Since(start))
		progress("the bot, nothing new: %s", seconds(times.Idle[len(times.Idle)-1]))
	}
	push, err := json.Marshal(map[string]any{"ref": "refs/heads/" + s.branch, "repository": map[string]string{"clone_url": r.sourceURL}})
	if err != nil {
		return times, err
	}
	mac := hmac.New(sha256.New, []byte(botSecret))
	mac.Write(push)
	for range runs {
		// Each time, one commit in the first of the directories.
		if err := s.addCommits(ctx, r.source, 1); err != nil {
			return times, err
		}
		before, err := git(ctx, r.remote, "rev-parse", "refs/heads/"+r.branch)
		if err != nil {
			return times, err
		}
		start := time.Now()
		if err := r.post(ctx, "/webhook/github", push, "X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil))); err != nil {
			return times, err
		}
		if err := r.moves(ctx, before); err != nil {
			return times, err
		}
		times.News = append(times.News, time.Since(start))
		progress("the bot, a new commit: %s", seconds(times.News[len(times.News)-1]))
		if err := r.runEnds(ctx); err != nil {
			return times, err
		}
	}
	slices.Sort(times.Idle)
	slices.Sort(times.News)
	return times, nil
}

// moves waits until the remote's branch is not where it was. Its file is what is
// looked at: nobody is to wait for git to be started meanwhile.
func (r *runningBot) moves(ctx context.Context, before string) error {
	for {
		now, err := os.ReadFile(filepath.Join(r.remote, "refs", "heads", filepath.FromSlash(r.branch)))
		if err == nil && len(now) > 0 && strings.TrimSpace(string(now)) != before {
			return nil
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *runningBot) runEnds(ctx context.Context) error {
	select {
	case err, ok := <-r.ended:
		if !ok {
			return errors.New("the bot has ended")
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *runningBot) post(ctx context.Context, path string, body []byte, headers ...string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("POST %s: %s", path, answer.Status)
	}
	return nil
}

// write writes a table, and a line for each target.
func (t botTimes) write(w io.Writer) {
	fmt.Fprintln(w, "| the bot, with source and remotes over https | runs | wall, median | longest |")
	fmt.Fprintln(w, "|---|--:|--:|--:|")
	line := func(what string, all []time.Duration) {
		fmt.Fprintf(w, "| %s | %d | %s | %s |\n", what, len(all), seconds(all[len(all)/2]), seconds(all[len(all)-1]))
	}
	line("publisher run: a cycle with nothing new", t.Idle)
	line("publisher run: from the webhook to the remote, a commit in one directory", t.News)
	fmt.Fprintln(w)
	target := func(what string, all []time.Duration, limit time.Duration) {
		fmt.Fprintf(w, "- %s: %s (target < %s): %s\n", what, seconds(all[len(all)/2]), limit, verdict(all[len(all)/2] < limit))
	}
	target("the bot, nothing new", t.Idle, idleLimit)
	target("the bot, a new commit", t.News, newsLimit)
}
