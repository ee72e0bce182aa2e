package monorepo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	recent = 40 // mainline commits that a side branch may start behind

	releaseShare = 0.03 // of all commits are picks onto release branches
	pullShare    = 0.87 // of the steps on main, so that 60% of commits are on side branches
)

// sideLengths is how many commits a side branch has, drawn evenly.
var sideLengths = []int{1, 1, 1, 1, 1, 1, 2, 2, 3, 5}

// tip is a branch's newest commit.
type tip struct {
	mark  mark
	state state
	when  time.Time
}

// line is a branch under simulation, with its newest mainline commits.
type line struct {
	name   string
	recent []tip
}

func (l *line) tip() tip { return l.recent[len(l.recent)-1] }

func (l *line) push(t tip) {
	l.recent = append(l.recent, t)
	if len(l.recent) > recent {
		l.recent = l.recent[1:]
	}
}

// history simulates the life of the monorepo and writes it to a stream.
type history struct {
	out     *stream
	layout  *layout
	random  *rand.Rand
	clock   time.Time
	commits int
	pulls   int
	picks   []pick // of late, for release branches to take
}

// pick is what a pull request changed.
type pick struct {
	number     int
	title      string
	author     person
	base, head state
}

var (
	robot  = person{"Merge Robot", "robot@example.test", "+0000"}
	people = []person{
		{"Ada Example", "ada@example.test", "+0100"},
		{"Björn Beispiel", "bjorn@example.test", "+0200"},
		{"Chen Li", "chen@example.test", "+0800"},
		{"Dara Okafor", "dara@example.test", "+0100"},
		{"Eve", "eve@example.test", "-0700"},
		{"Farid Nouri", "farid@example.test", "+0330"},
		{"Grace de la Cruz", "grace@example.test", "-0500"},
	}
)

// writeHistory writes about (never fewer than, and at most a pull request
// more than) total commits, all branches and all tags.
func writeHistory(out *stream, l *layout, total int) {
	h := &history{
		out: out, layout: l,
		random: rand.New(rand.NewPCG(2, 2)),
		clock:  time.Date(2019, 1, 7, 9, 0, 0, 0, time.UTC),
	}
	main := &line{name: "main"}
	h.root(main)

	// Each release line is forked at an even share of history, its tags come
	// evenly before and after that, and the last of them before history ends.
	shape := l.shape
	forkAt := func(i int) int { return total * (i + 1) / (shape.releases + 1) }
	var lines []*line
	var schedule []func()
	var due []int
	at := func(when int, do func()) { due, schedule = append(due, when), append(schedule, do) }
	for i := range shape.releases {
		fork, end := forkAt(i), min(forkAt(i+shape.alive), total*98/100)
		before, after := shape.tags(i)
		for j, name := range before {
			start := forkAt(i - 1) // 0 for the first
			at(start+(fork-start)*(j+1)/(len(before)+1), func() { h.tag(main, name) })
		}
		at(fork, func() {
			name := fmt.Sprintf("release-1.%d", shape.firstMinor+i)
			lines = append(lines, &line{name: name, recent: []tip{main.tip()}})
		})
		for j, name := range after {
			at(fork+(end-fork)*(j+1)/len(after), func() { h.releaseCommit(lines[i], name) })
		}
	}

	for h.commits < total {
		for i, do := range schedule {
			if do != nil && due[i] <= h.commits {
				do()
				schedule[i] = nil
			}
		}
		switch {
		case len(lines) > 0 && h.random.Float64() < releaseShare*2:
			// Each fifth release line takes pull requests, the others picks.
			r := len(lines) - 1 - h.random.IntN(min(shape.alive, len(lines)))
			if r%5 == 2 {
				h.pull(lines[r])
			} else {
				h.cherryPick(lines[r])
			}
		case h.random.Float64() < pullShare:
			h.pull(main)
		default:
			h.direct(main)
		}
	}
}

func (h *history) root(main *line) {
	m := h.commit(commit{ref: "refs/heads/main", author: people[0], message: "Initial import\n"}, state{}, h.layout.initial)
	main.push(tip{m, h.layout.initial, h.clock})
}

// tick moves the clock on. Commits come more or less often by the hour.
func (h *history) tick() time.Time {
	h.clock = h.clock.Add(time.Duration(60+h.random.IntN(1200)) * time.Second)
	return h.clock
}

// commit fills in the committer and dates that are not given.
func (h *history) commit(c commit, from, to state) mark {
	if c.committed.IsZero() {
		c.committed = h.tick()
	}
	if c.authored.IsZero() {
		c.authored = c.committed
	}
	if c.committer == (person{}) {
		c.committer = c.author
	}
	h.commits++
	return h.out.commit(c, from, to)
}

func (h *history) someone() person { return people[h.random.IntN(len(people))] }

// direct is a commit straight onto a branch, some without any change.
func (h *history) direct(l *line) {
	before := l.tip()
	after, title := h.edit(before.state)
	if h.random.IntN(50) == 0 {
		after, title = before.state, "Trigger the builders"
	}
	m := h.commit(commit{ref: "refs/heads/" + l.name, parents: []mark{before.mark}, author: h.someone(), message: title + "\n"},
		before.state, after)
	l.push(tip{m, after, h.clock})
}

// pull is a pull request, or several in an octopus, with its merge.
func (h *history) pull(l *line) {
	before := l.tip()
	sides := 1
	if h.random.IntN(150) == 0 {
		sides = 2 + h.random.IntN(2)
	}
	after, parents := before.state, []mark{before.mark}
	var last pick
	for range sides {
		fork := l.recent[len(l.recent)-1-min(h.random.IntN(recent), h.random.IntN(recent), len(l.recent)-1)]
		head, p := h.side(fork)
		after = merge(fork.state, after, p.head)
		parents = append(parents, head)
		last = p
	}
	message := fmt.Sprintf("Merge pull request #%d from %s/topic-%d\n\n%s\n", last.number, last.author.email[:3], last.number, last.title)
	m := h.commit(commit{ref: "refs/heads/" + l.name, parents: parents, author: robot, message: message}, before.state, after)
	l.push(tip{m, after, h.clock})
	if h.picks = append(h.picks, last); len(h.picks) > recent {
		h.picks = h.picks[1:]
	}
}

// side makes a side branch's commits, dated between its fork and now.
func (h *history) side(fork tip) (mark, pick) {
	h.pulls++
	length := sideLengths[h.random.IntN(len(sideLengths))]
	p := pick{number: h.pulls, author: h.someone(), base: fork.state}
	at, head := fork.mark, fork.state
	span := h.tick().Sub(fork.when)
	for i := range length {
		next, title := h.edit(head)
		when := fork.when.Add(span * time.Duration(i+1) / time.Duration(length+1)).Truncate(time.Second)
		message := title + "\n"
		switch h.random.IntN(6) {
		case 0:
			message += fmt.Sprintf("\nFixes what #%d left open.\n\nSigned-off-by: %s <%s>\n", h.pulls/2, p.author.name, p.author.email)
		case 1:
			message += "\nThe order matters: the second step reads what the first one wrote.\n"
		case 2:
			message = title // no newline at the end
		}
		at = h.commit(commit{ref: sideRef, parents: []mark{at}, author: p.author, committed: when, message: message}, head, next)
		head, p.title = next, title
	}
	p.head = head
	return at, p
}

// cherryPick takes a recent pull request onto a release branch.
func (h *history) cherryPick(l *line) {
	if len(h.picks) == 0 {
		h.direct(l)
		return
	}
	before := l.tip()
	p := h.picks[h.random.IntN(len(h.picks))]
	after := merge(p.base, before.state, p.head)
	m := h.commit(commit{
		ref: "refs/heads/" + l.name, parents: []mark{before.mark}, author: p.author, committer: h.someone(),
		message: fmt.Sprintf("Automated cherry pick of #%d: %s\n", p.number, p.title),
	}, before.state, after)
	l.push(tip{m, after, h.clock})
}

// releaseCommit is a release branch's change log entry, with its tag.
func (h *history) releaseCommit(l *line, name string) {
	before := l.tip()
	after := before.state.clone()
	after.versions[h.layout.changelog]++
	m := h.commit(commit{ref: "refs/heads/" + l.name, parents: []mark{before.mark}, author: robot, message: "Release " + name + "\n"},
		before.state, after)
	l.push(tip{m, after, h.clock})
	h.tag(l, name)
}

func (h *history) tag(l *line, name string) {
	h.out.tag(name, l.tip().mark, robot, h.tick(), "Release "+name+"\n")
}

// edit changes one area of the tree, now and then several, and says what.
func (h *history) edit(s state) (state, string) {
	s = s.clone()
	areas := 1
	if h.random.IntN(20) == 0 {
		areas = 3
	}
	var title string
	for range areas {
		title = h.editArea(&s)
	}
	return s, title
}

func (h *history) editArea(s *state) string {
	kind := h.random.IntN(1000)
	if kind < 8 {
		i := h.random.IntN(h.layout.toggles)
		s.edges ^= 1 << i
		return fmt.Sprintf("Change what %s needs of %s", ModuleName(toggled[i].from), ModuleName(toggled[i].to))
	}
	if kind < 12 {
		s.bumps++
		return "Raise what comes from elsewhere"
	}
	// Low modules are busier, as in life.
	a := h.layout.others[h.random.IntN(len(h.layout.others))]
	if kind < 510 {
		modules := h.layout.modules
		a = modules[min(h.random.IntN(len(modules)), h.random.IntN(len(modules)+4))]
	}
	verb := verbs[h.random.IntN(len(verbs))]
	for range 1 + min(h.random.IntN(4), h.random.IntN(4)) {
		i := a.files[h.random.IntN(len(a.files))]
		switch version := &s.versions[i]; {
		case *version == 0 && h.random.IntN(4) > 0:
			// Most files that are gone stay so; take a neighbour.
			j := a.files[h.random.IntN(len(a.files))]
			s.versions[j]++
		case *version > 0 && h.random.IntN(60) == 0:
			*version = 0
		default:
			*version++
		}
	}
	return fmt.Sprintf("%s: %s the %s", a.title, verb, nouns[h.random.IntN(len(nouns))])
}

// merge is the three-way merge. Both sides' edits of a file add up.
func merge(base, ours, theirs state) state {
	merged := ours.clone()
	for i, theirs := range theirs.versions {
		switch base, ours := base.versions[i], ours.versions[i]; {
		case theirs == base:
		case ours == base:
			merged.versions[i] = theirs
		case ours == 0 || theirs == 0:
			merged.versions[i] = 0
		default:
			merged.versions[i] = uint16(max(1, int(ours)+int(theirs)-int(base)))
		}
	}
	merged.bumps = ours.bumps + theirs.bumps - base.bumps
	merged.edges = ours.edges ^ base.edges ^ theirs.edges
	return merged
}
