package remote

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/publisher/credential"
	"k8s.io/publisher/git"
)

// Kind is what became of something that a server was asked for.
type Kind string

// The kinds of failures.
const (
	// Unreachable is a server that cannot be reached just now, is too busy, or
	// broke off.
	Unreachable Kind = "unreachable"
	// Busy is a repository that somebody else is writing to.
	Busy Kind = "busy"
	// Denied are credentials that are missing or not good enough, and a server
	// whose host key or certificate is not the one that is known.
	Denied Kind = "denied"
	// Missing is a repository that does not exist, as far as the server tells.
	Missing Kind = "missing"
	// Rejected is a push that the server does not want: a hook or a protected
	// branch, say.
	Rejected Kind = "rejected"
	// TooLarge is a push that is beyond a limit of the server.
	TooLarge Kind = "too large"
	// NotAtomic is a server that has no atomic pushes.
	NotAtomic Kind = "not atomic"
	// Local is what this machine is to blame for.
	Local Kind = "local"
	// Other is all else.
	Other Kind = "other"
)

// Passes reports whether the same may succeed when it is tried again.
func (k Kind) Passes() bool { return k == Unreachable || k == Busy }

// Error reports what could not be done with a remote. No secret is in it.
type Error struct {
	// Doing is what was tried: "push to".
	Doing, URL string
	Kind       Kind
	// Words are what git and the server said, line by line.
	Words []string
	Err   error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: ", e.Doing, e.URL)
	if hint := hints[e.Kind]; hint != "" {
		text += hint + ": "
	}
	if len(e.Words) == 0 {
		return text + e.Err.Error()
	}
	return text + strings.Join(e.Words, "\n")
}

func (e *Error) Unwrap() error { return e.Err }

var hints = map[Kind]string{
	Denied:   "the server does not let us; look at the credentials for it, and at what they may do",
	Missing:  "the server has no such repository, or does not show it to us; create it there",
	TooLarge: "it is beyond a limit of the server",
	Rejected: "the server rejected it, and has changed nothing",
	Local:    "this machine failed",
}

// RacedError reports that somebody else changed a remote after it was read. Who reads
// it again can go on.
type RacedError struct {
	URL, Ref string
	Err      error // why the push failed
}

func (e *RacedError) Error() string {
	return fmt.Sprintf("push to %s: %s was changed by somebody else meanwhile: %v", e.URL, e.Ref, e.Err)
}

func (e *RacedError) Unwrap() error { return e.Err }

// progress matches lines that only tell how far something is.
var progress = regexp.MustCompile(`^(remote: )?((Enumerating|Counting|Compressing|Writing|Resolving|Receiving|Unpacking|Updating|Processing|Checking|Finding|Total|Delta|Expanding|Filtering)\b.*(\d|done\.?)|To .*|Everything up-to-date|From .*)$`)

// phrases are what git, curl, ssh and servers say, in lower case. The first kind that
// has one of its phrases counts.
var phrases = []struct {
	kind Kind
	any  []string
}{
	{NotAtomic, []string{"does not support --atomic", "does not support atomic"}},
	{TooLarge, []string{
		"returned error: 413", "http 413", "request entity too large", "payload too large", "exceeds maximum allowed size", "pack exceeds", "exceeds the maximum",
		"push is too large", "too many refs", "too many references", "maximum number of refs", "more than the allowed", "exceeds the allowed", "more refs than",
	}},
	{Denied, []string{
		"authentication failed", "returned error: 401", "returned error: 403", "http 401", "http 403", "permission denied (", "permission denied,", "could not read username",
		"could not read password", "terminal prompts disabled", "host key verification failed", "invalid username", "access denied", "bad credentials",
		"certificate problem", "certificate verification failed", "ssl certificate", "too many authentication failures", "no matching host key",
		"identification has changed", "not authorized", "unauthorized", "deploy key",
	}},
	{Missing, []string{
		"repository not found", "not found: did you run", "does not appear to be a git repository", "returned error: 404", "http 404", "does not exist",
		"repository not exported", "access denied or repository not exported", "no such repository", "not found\n", "project you were looking for could not be found",
	}},
	{Rejected, []string{"hook declined", "protected branch", "gh006", "gh013", "denied by fallthru", "prohibited"}},
	{Busy, []string{"cannot lock ref", "failed to update ref", "unable to create '", "stale info", "fetch first", "incorrect old value", "transaction failed", "reference already exists", "but expected"}},
	{Rejected, []string{"[remote rejected]", "[rejected]", "unpacker error", "remote unpack failed"}},
	{Unreachable, []string{
		"could not resolve host", "couldn't resolve host", "temporary failure in name resolution", "name or service not known", "connection refused", "connection timed out",
		"operation timed out", "connection reset", "failed to connect", "couldn't connect", "network is unreachable", "no route to host", "broken pipe",
		"returned error: 5", "http 5", "returned error: 429", "http 429", "too many requests", "returned error: 408", "unexpected disconnect", "hung up unexpectedly", "early eof", "unexpected eof",
		"rpc failed", "operation too slow", "kex_exchange_identification", "connection closed", "empty reply from server", "unable to access", "gnutls_handshake",
		"ssl_error_syscall", "openssl ssl_connect", "unable to connect", "expected flush", "expected packfile", "protocol error: bad line length", "invalid index-pack output", "bad band", "premature end", "timeout",
	}},
}

// classify makes an [*Error] of how something ended.
func classify(ctx context.Context, doing, url string, access credential.Access, err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	e := &Error{Doing: doing, URL: url, Kind: Other, Err: err}
	if said, ok := errors.AsType[*saidError](err); ok {
		for _, line := range said.lines {
			e.Words = append(e.Words, access.Redact(line))
		}
	}
	failed, ran := errors.AsType[*git.Error](err)
	silent, mute := errors.AsType[*silentError](err)
	switch {
	case mute:
		e.Kind, e.Words, e.Err = Unreachable, append(e.Words, silent.Error()), silent
	case ctx.Err() != nil:
		e.Err, e.Words = context.Cause(ctx), nil
	case !ran || failed.Code() < 0 || machineFault(e.Words):
		e.Kind = Local
	default:
		e.Kind = kindOf(e.Words)
	}
	if ran {
		// What git's own error has of its words is neither redacted nor without progress.
		e.Err = fmt.Errorf("git %s: %w", failed.Command, failed.Err)
	}
	if mute || ctx.Err() != nil {
		e.Err = context.Cause(ctx)
		if mute {
			e.Err = silent
		}
	}
	return e
}

// kindOf goes by what was said.
func kindOf(lines []string) Kind {
	said := strings.ToLower(strings.Join(lines, "\n")) + "\n"
	refused := strings.Contains(said, "[remote rejected]") || strings.Contains(said, "[rejected]")
	for _, p := range phrases {
		if refused && (p.kind == Denied || p.kind == Missing) {
			continue // The server was reached. It may be a hook that speaks.
		}
		if slices.ContainsFunc(p.any, func(phrase string) bool { return strings.Contains(said, phrase) }) {
			return p.kind
		}
	}
	return Other
}

// machineFault reports whether the system failed git here: what the server says of its
// own does not count.
func machineFault(lines []string) bool {
	var own []string
	for _, line := range lines {
		if !strings.HasPrefix(line, "remote:") && !strings.HasPrefix(line, "!") && !strings.Contains(line, "remote unpack failed") {
			own = append(own, line)
		}
	}
	said := strings.ToLower(strings.Join(own, "\n"))
	return slices.ContainsFunc([]string{"no space left on device", "disk quota exceeded", "out of memory", "cannot allocate memory", "too many open files", "read-only file system", "input/output error"},
		func(fault string) bool { return strings.Contains(said, fault) })
}
