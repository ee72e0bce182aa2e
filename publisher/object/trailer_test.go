package object_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/publisher/object"
)

const (
	trailerKey   = "Mirror-commit"
	trailerValue = "8f9d4e3c"
	trailerLine  = trailerKey + ": " + trailerValue + "\n"
	cutLine      = "# ------------------------ >8 ------------------------\n"
)

var appendTests = []struct {
	name, message, want string
}{
	{"title", "Fix it\n", "Fix it\n\n" + trailerLine},
	{"title without newline", "Fix it", "Fix it\n\n" + trailerLine},
	{"body", "Fix it\n\nIt broke.\n", "Fix it\n\nIt broke.\n\n" + trailerLine},
	{"blank lines at the end", "Fix it\n\n \n\t\n", "Fix it\n\n" + trailerLine},
	{"blanks on the last line", "Fix it  \n\n", "Fix it  \n\n" + trailerLine},
	{"blank line at the start", "\n\nFoo: bar\n", "\n\nFoo: bar\n\n" + trailerLine},

	{"empty", "", "(no message)\n\n" + trailerLine},
	{"only blank lines", "\n \n\t\r\n", "(no message)\n\n" + trailerLine},
	{"only a comment", "# Fix it\n", "# Fix it\n\n" + trailerLine},

	{"trailer block", "Fix it\n\nReviewed-by: A\n", "Fix it\n\nReviewed-by: A\n" + trailerLine},
	{"trailer block without newline", "Fix it\n\nReviewed-by: A", "Fix it\n\nReviewed-by: A\n" + trailerLine},
	{"same key", "Fix it\n\n" + trailerKey + ": 1\n", "Fix it\n\n" + trailerKey + ": 1\n" + trailerLine},
	{"continuation line", "Fix it\n\nFoo: a\n b\n", "Fix it\n\nFoo: a\n b\n" + trailerLine},
	{"blank line after the block", "Fix it\n\nFoo: a\n\n  \n", "Fix it\n\nFoo: a\n" + trailerLine},
	{"title like a trailer", "net: fix it\n", "net: fix it\n\n" + trailerLine},
	{"trailers that are no last paragraph", "Fix it\n\nFoo: a\n\nText\n", "Fix it\n\nFoo: a\n\nText\n\n" + trailerLine},
	{"one line is no trailer", "Fix it\n\nFoo: a\nText\n", "Fix it\n\nFoo: a\nText\n\n" + trailerLine},
	{
		"a quarter trailers, one of git's", "Fix it\n\nText\ntext\ntext\nSigned-off-by: A <a@b>\n",
		"Fix it\n\nText\ntext\ntext\nSigned-off-by: A <a@b>\n" + trailerLine,
	},
	{
		"less than a quarter", "Fix it\n\nText\ntext\ntext\ntext\nSigned-off-by: A <a@b>\n",
		"Fix it\n\nText\ntext\ntext\ntext\nSigned-off-by: A <a@b>\n\n" + trailerLine,
	},
	{
		"cherry pick", "Fix it\n\nText\n(cherry picked from commit 1234)\n",
		"Fix it\n\nText\n(cherry picked from commit 1234)\n" + trailerLine,
	},

	{"carriage returns", "Fix it\r\n\r\nText\r\n\r\n", "Fix it\r\n\r\nText\r\n\n" + trailerLine},
	{"carriage returns and trailers", "Fix it\r\n\r\nFoo: a\r\n", "Fix it\r\n\r\nFoo: a\r\n" + trailerLine},
	{"divider", "Fix it\n---\n\nFoo: a\n", "Fix it\n---\n\nFoo: a\n" + trailerLine},
	{"not UTF-8", "Fix \xff\n\nFoo: \xfe\n", "Fix \xff\n\nFoo: \xfe\n" + trailerLine},
	{"NUL byte", "Fix it\n\x00tail", "Fix it\n\n" + trailerLine + "\x00tail"},
	{"scissors", "Fix it\n" + cutLine + "tail", "Fix it\n\n" + trailerLine + cutLine + "tail"},
	{"unended scissors", "Fix it\n" + cutLine[:len(cutLine)-1], "Fix it\n\n" + trailerLine + cutLine[:len(cutLine)-1]},
	{"only scissors", cutLine, "(no message)\n\n" + trailerLine + cutLine},

	{"comment", "Fix it\n\nText\n# note\n", "Fix it\n\nText\n# note\n\n" + trailerLine},
	{"comment after trailers", "Fix it\n\nFoo: a\n# note\n", "Fix it\n\nFoo: a\n" + trailerLine + "# note\n"},
	{"comment among blank lines after trailers", "Fix it\n\nFoo: a\n\n# x\n \n# y\n", "Fix it\n\nFoo: a\n" + trailerLine + "\n# x\n \n# y\n"},
	{"conflicts", "Fix it\n\nConflicts:\n\ta.go\n", "Fix it\n\nConflicts:\n\ta.go\n\n" + trailerLine},
	{
		"conflicts after trailers", "Fix it\n\nFoo: a\n\nConflicts:\n\ta.go\n",
		"Fix it\n\nFoo: a\n" + trailerLine + "\nConflicts:\n\ta.go\n",
	},
}

func TestAppendTrailerWritesWellFormedMessage(t *testing.T) {
	for _, test := range appendTests {
		t.Run(test.name, func(t *testing.T) {
			got := object.AppendTrailer([]byte(test.message), trailerKey, trailerValue)
			if string(got) != test.want {
				t.Errorf("AppendTrailer(%q)\n got %q\nwant %q", test.message, got, test.want)
			}
		})
	}
}

func TestAppendTrailerKeepsItsInput(t *testing.T) {
	message := []byte("Fix it\n\nFoo: a\n# note\n")
	object.AppendTrailer(message[:14], trailerKey, trailerValue)
	if want := "Fix it\n\nFoo: a\n# note\n"; string(message) != want {
		t.Errorf("the message has become %q", message)
	}
}

func TestLastTrailerIsTheLastOfItsKey(t *testing.T) {
	for _, test := range []struct {
		message, key, want string
		ok                 bool
	}{
		{"", "Foo", "", false},
		{"Foo: title\n", "Foo", "", false},
		{"\n\nFoo: title\n", "Foo", "", false},
		{"T\n\nFoo: a\nBar: c\nfOO : b \n", "Foo", "b", true},
		{"T\n\nFoo: a\n b\n", "foo", "a\n b", true},
		{"T\n\nFoo:\n", "Foo", "", true},
		{"T\n\nFoo: a\n\nText\n", "Foo", "", false},
		{"T\n\nFoo: a\n\nConflicts:\n\tx\n", "Foo", "a", true},
		{"T\n\nFoo-bar: a\n", "Foo", "", false},
	} {
		got, ok := object.LastTrailer([]byte(test.message), test.key)
		if got != test.want || ok != test.ok {
			t.Errorf("LastTrailer(%q, %q) = %q, %v; want %q, %v", test.message, test.key, got, ok, test.want, test.ok)
		}
	}
}

func TestValidTrailerKey(t *testing.T) {
	for key, want := range map[string]bool{
		"Kubernetes-commit": true, "a": true, "X-1": true,
		"": false, "a b": false, "a:": false, "ä": false, "a\n": false,
	} {
		if got := object.ValidTrailerKey(key); got != want {
			t.Errorf("ValidTrailerKey(%q) = %v", key, got)
		}
	}
}

// TestGitSeesAppendedTrailerLast asks git itself for the trailers of many
// messages before and after: they are to be the same and the new one.
func TestGitSeesAppendedTrailerLast(t *testing.T) {
	var messages [][]byte
	for _, test := range appendTests {
		messages = append(messages, []byte(test.message))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		messages = append(messages, randomMessage(random))
	}
	appended := make([][]byte, len(messages))
	for i, m := range messages {
		appended[i] = object.AppendTrailer(m, trailerKey, trailerValue)
	}
	before, after := loggedTrailers(t, messages), loggedTrailers(t, appended)
	failures, withTrailers := 0, 0
	for i, m := range messages {
		if before[i].all != "" {
			withTrailers++
		}
		want := before[i].all + trailerLine
		if got := after[i].all; got != want {
			t.Errorf("message %q\nbecame  %q\ngit sees %q\nwant     %q", m, appended[i], got, want)
			failures++
		}
		for n, logged := range []logged{before[i], after[i]} {
			message := [][]byte{m, appended[i]}[n]
			value, ok := object.LastTrailer(message, trailerKey)
			if value != logged.value || ok != logged.ok {
				t.Errorf("LastTrailer(%q) = %q, %v; git has %q, %v", message, value, ok, logged.value, logged.ok)
				failures++
			}
		}
		if failures > 10 {
			t.FailNow()
		}
	}
	if withTrailers < len(messages)/20 {
		t.Errorf("only %d of %d messages had trailers: they test too little", withTrailers, len(messages))
	}
}

// randomMessage strings together lines that matter to the heuristic.
func randomMessage(random *rand.Rand) []byte {
	lines := []string{
		"", "", "", "", "Title", "text of a line", "Foo: bar", "Foo: bar", "Reviewed-by: R <r@x>", trailerKey + ": 1234",
		"mirror-COMMIT  : 99", "Signed-off-by: A <a@b>", "(cherry picked from commit 12)", " continued", "\tcontinued",
		"# comment", "#", "  ", "\t", "Conflicts:", "\tpath", "---", "--- a/x", ": x", "-: x", "Foo bar: x", "Foo=bar: x",
		"\xff\xfe: x", "Foo: \xff", "\r", "Foo: bar\r", "\v", "\f", " # no comment", "Conflicts: x", strings.TrimSuffix(cutLine, "\n"),
		"Signed-off-by:x", "https://example.com", "a\x00b", "\x00",
	}
	var b []byte
	if random.IntN(2) == 0 {
		b = append(b, "Title\n\n"...)
	}
	for range random.IntN(9) {
		n := len(lines)
		if random.IntN(8) > 0 {
			n -= 2 // NUL bytes hide what follows, so they are to be rare.
		}
		b = append(b, lines[random.IntN(n)]...)
		b = append(b, '\n')
	}
	if random.IntN(4) == 0 {
		b = bytes.TrimSuffix(b, []byte("\n"))
	}
	return b
}

// logged is what git log says about a message.
type logged struct {
	all   string // "key: value" lines
	value string // of the last trailer called trailerKey
	ok    bool   // whether there is one
}

// loggedTrailers makes a commit of every message and reads them all with one
// git log.
func loggedTrailers(t testing.TB, messages [][]byte) []logged {
	t.Helper()
	repo := newRepository(t)
	var stream bytes.Buffer
	for i, m := range messages {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter C <c@x> %d +0000\ndata %d\n%s\n", i+1, len(m), m)
	}
	repo.git(stream.Bytes(), "fast-import", "--quiet")
	format := "%(trailers:only)%x00%(trailers:key=" + trailerKey + ",separator=%x01)%x00"
	fields := strings.Split(string(repo.git(nil, "log", "--reverse", "--topo-order", "--encoding=none", "--format=tformat:"+format, "main")), "\x00")
	result := make([]logged, len(messages))
	if len(fields) != 2*len(messages)+1 {
		t.Fatalf("git log printed %d fields for %d messages", len(fields), len(messages))
	}
	for i := range result {
		result[i].all = fields[2*i]
		if i > 0 {
			result[i].all = result[i].all[1:] // the newline that ends the record before
		}
		own := fields[2*i+1]
		own = own[strings.LastIndexByte(own, 1)+1:]
		_, result[i].value, result[i].ok = strings.Cut(own, ": ")
	}
	return result
}

// FuzzAppendTrailer compares with git interpret-trailers, which needs no
// repository.
func FuzzAppendTrailer(f *testing.F) {
	for _, test := range appendTests {
		f.Add([]byte(test.message))
	}
	dir := f.TempDir()
	repo := newRepository(f)
	const mark = "Mark-between: messages\n"
	f.Fuzz(func(t *testing.T, message []byte) {
		appended := object.AppendTrailer(message, trailerKey, trailerValue)
		if i := bytes.Index(appended, []byte(trailerLine)); i < 0 {
			t.Fatalf("no trailer in %q", appended)
		}

		// Unlike git log, interpret-trailers takes blank lines at the start
		// for the first paragraph.
		repo := repository{TB: t, dir: repo.dir}
		var args = []string{"interpret-trailers", "--only-trailers", "--only-input", "--no-divider"}
		for i, m := range [][]byte{
			withoutLeadingBlankLines(message), []byte("T\n\n" + mark),
			withoutLeadingBlankLines(appended), []byte("T\n\n" + mark),
			appended,
		} {
			name := filepath.Join(dir, fmt.Sprint(i))
			if err := os.WriteFile(name, m, 0o666); err != nil {
				t.Fatal(err)
			}
			args = append(args, name)
		}
		seen := strings.Split(string(repo.git(nil, args...)), mark)
		if len(seen) != 3 {
			return // The message has the mark in it.
		}
		if seen[1] != seen[0]+trailerLine {
			t.Errorf("message %q\nbecame %q\ngit sees %q\nwant     %q", message, appended, seen[1], seen[0]+trailerLine)
		}
		if !strings.HasSuffix(seen[2], trailerLine) {
			t.Errorf("message %q\nbecame %q\ngit sees %q", message, appended, seen[2])
		}
		if value, ok := object.LastTrailer(appended, trailerKey); value != trailerValue || !ok {
			t.Errorf("LastTrailer(%q) = %q, %v", appended, value, ok)
		}
	})
}

func withoutLeadingBlankLines(message []byte) []byte {
	for {
		line, rest, ok := bytes.Cut(message, []byte("\n"))
		if len(bytes.TrimLeft(line, " \t\r")) > 0 {
			return message
		}
		if !ok {
			return nil
		}
		message = rest
	}
}
