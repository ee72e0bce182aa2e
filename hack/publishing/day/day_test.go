package day

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	length = flag.Duration("length", 45*time.Second, "how `long` the day is")
	pushes = flag.Int("pushes", 60, "how `many` commits are pushed to the source in it")
)

// releases are the release branches that begin in the day; each gets so many tags.
const (
	releases = 3
	tags     = 4
)

// publisher is the program as make build builds it.
var publisher string

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := setUp(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func setUp(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "day-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	// With the workspace the publisher has our client library.
	publisher = filepath.Join(dir, "publisher")
	build := exec.Command("go", "build", "-o", publisher, "./publisher")
	build.Dir = filepath.Join("..", "..", "..")
	build.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOWORK=") })
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the publisher: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// TestAllThatIsPushedInADayIsPublished and nothing of it is lost or moves, whatever
// fails in between.
func TestAllThatIsPushedInADayIsPublished(t *testing.T) {
	if *pushes < 40 {
		t.Fatalf("-pushes %d: at least 40 make a day", *pushes)
	}
	w := newWorld(t)
	bot := w.startBot()
	w.mustArrive(w.yesterday())
	events := w.play(bot)
	w.mustArrive(events)
	bot.mustStop()
	report := w.report(events, bot.runs())
	report.write(os.Stdout)
	report.mustBeWhole(t)
	w.mustBePublished()
	w.mustServeGit()
	w.mustServeGo()
	w.mustHaveToldNothing(bot)
}

// yesterday is what is in the source before the day begins.
func (w *world) yesterday() []*event {
	return []*event{{kind: change, ref: "refs/heads/main", destinations: destinations, commit: w.git("-C", w.checkout, "rev-parse", "main")}}
}

// play has the day go by, and returns what was pushed.
func (w *world) play(b *bot) (events []*event) {
	w.Helper()
	chance := rand.New(rand.NewPCG(1, 2))
	var branches []string // of releases
	begin := time.Now()
	tagged := 0
	for i := range *pushes {
		due := time.Duration(int64(*length) / int64(*pushes) * int64(i))
		time.Sleep(time.Until(begin.Add(due)))

		// Releases begin at the quarters of the day, and have versions from then on.
		if next := len(branches) + 1; next <= releases && i >= next**pushes/(releases+2) {
			branch := fmt.Sprintf("release-1.%d", 30+next)
			branches = append(branches, branch)
			events = append(events, w.branch(branch))
		}
		for tagged < tags*len(branches) && i >= (tagged+tags+1)**pushes/(tags*(releases+1)+tags+1) {
			version := fmt.Sprintf("v1.%d.%d", 31+tagged/tags, tagged%tags-1)
			if tagged%tags == 0 {
				version = fmt.Sprintf("v1.%d.0-rc.0", 31+tagged/tags)
			}
			events = append(events, w.tag(version, branches[tagged/tags]))
			tagged++
		}

		// One commit breaks a module, and is mended later.
		switch broken := *pushes * 2 / 5; i {
		case broken:
			events = append(events, w.commit("main", bad, tested))
			continue
		case broken + *pushes/20:
			b.mustNotice(tested)
			events = append(events, w.commit("main", mend, tested))
			continue
		}
		branch := "main"
		if len(branches) > 0 && chance.IntN(4) == 0 {
			branch = branches[chance.IntN(len(branches))]
		}
		changed := slices.DeleteFunc(slices.Clone(destinations), func(string) bool { return chance.IntN(3) == 0 })
		if len(changed) == 0 {
			changed = destinations[:1]
		}
		events = append(events, w.commit(branch, change, changed...))
	}
	if len(branches) != releases || tagged != releases*tags {
		w.Fatalf("the day had %d release branches and %d tags", len(branches), tagged)
	}
	return events
}
