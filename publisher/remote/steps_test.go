package remote_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gitserver"
	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
	"k8s.io/publisher/remote"
)

// record has the remote note, line by line, the refs that come in each push, and
// returns what reads it.
func (w *world) record() func() []string {
	w.Helper()
	w.remote.Hook("mirror", "post-receive", `echo $(while read old new ref; do echo $ref; done | sort) >> pushes`)
	return func() []string {
		text, err := os.ReadFile(w.remote.Dir("mirror") + "/pushes")
		w.must(err)
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
}

// TestServersWithLimitsGetSteps has servers refuse the whole. All arrives, and what
// comes first is what the rest stands on.
func TestServersWithLimitsGetSteps(t *testing.T) {
	t.Parallel()
	one := []string{"refs/heads/main", "refs/heads/release", "refs/tags/v1.0.0", "refs/tags/v1.1.0", "refs/tags/v1.1.1"}
	for name, test := range map[string]struct {
		limit func(w *world)
		want  []string
	}{
		"no atomic pushes": {func(w *world) { w.remote.Git("mirror", "config", "receive.advertiseAtomic", "false") }, one},
		"two refs a push": {func(w *world) { w.client.MostRefs = 2 },
			[]string{"refs/heads/main refs/heads/release", "refs/tags/v1.0.0 refs/tags/v1.1.0", "refs/tags/v1.1.1"}},
		"a hook that counts": {func(w *world) {
			w.remote.Hook("mirror", "pre-receive", `[ $(wc -l) -le 2 ] || { echo "too many refs in one push" >&2; exit 1; }`)
		}, []string{"refs/heads/main refs/heads/release", "refs/tags/v1.0.0", "refs/tags/v1.1.0 refs/tags/v1.1.1"}},
		"requests of 600 bytes": {func(w *world) { w.server.Set(func(s *gitserver.HTTP) { s.MostBody = 600 }) }, nil},
		"packs of 600 bytes":    {func(w *world) { w.remote.Git("mirror", "config", "receive.maxInputSize", "600") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			pushes := w.record()
			test.limit(w)
			done, err := w.push(w.read(), w.all())
			w.must(err)
			got := pushes()
			if done.Steps != len(got) || len(got) < 2 {
				t.Errorf("%d steps, and the server counts %d", done.Steps, len(got))
			}
			if test.want != nil && !slices.Equal(got, test.want) {
				t.Errorf("pushed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			tags := slices.IndexFunc(got, func(refs string) bool { return strings.Contains(refs, "refs/tags/") })
			if slices.ContainsFunc(got[tags+1:], func(refs string) bool { return strings.Contains(refs, "refs/heads/") }) {
				t.Errorf("a branch came after a tag:\n%s", strings.Join(got, "\n"))
			}
			w.has(w.all())
		})
	}
}

// TestWhatTestifiesComesBehindItsTag pushes one ref at a time.
func TestWhatTestifiesComesBehindItsTag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pushes := w.record()
	w.client.MostRefs, w.client.Provenance = 1, true
	for _, tag := range []string{"v1.0.0", "v1.1.0"} {
		w.local.SetRef("refs/provenance/"+tag, w.local.Commits["1"])
	}
	w.local.SetRef("refs/tags/kubernetes-1.0.0", w.id("refs/tags/v1.0.0"))
	_, err := w.push(w.read(), w.all())
	w.must(err)
	want := []string{"refs/heads/main", "refs/heads/release", "refs/tags/kubernetes-1.0.0", "refs/tags/v1.0.0", "refs/provenance/v1.0.0", "refs/tags/v1.1.0", "refs/provenance/v1.1.0", "refs/tags/v1.1.1"}
	if got := pushes(); !slices.Equal(got, want) {
		t.Errorf("pushed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	w.has(w.all())
}

// TestWhatIsTooLargeForAnyStepFails has one commit that is too large by itself. What
// is before it arrives, in order, and the error is the server's.
func TestWhatIsTooLargeForAnyStepFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local.History("big 5: large=" + pseudoRandom(4000) + "\nbranch main big\ntag v2.0.0 big")
	w.remote.Git("mirror", "config", "receive.maxInputSize", "1000")
	_, err := w.push(w.read(), w.all())
	w.fails(err, remote.TooLarge, "maximum allowed size", "beyond a limit")
	w.has(map[string]mirror.Ref{"refs/heads/main": {ID: w.local.Commits["5"]}})
}

// TestStepsThatStopGoOn stops between steps, and begins again.
func TestStepsThatStopGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.MostRefs = 1
	w.remote.Hook("mirror", "update", `[ "$1" != refs/tags/v1.1.0 ] || exit 1`)
	_, err := w.push(w.read(), w.all())
	w.fails(err, remote.Rejected)
	w.has(w.refs("refs/heads/main", "refs/heads/release", "refs/tags/v1.0.0"))
	w.remote.Hook("mirror", "update", "")
	done, err := w.push(w.read(), w.all())
	w.must(err)
	if done.Refs != 2 {
		t.Errorf("%d refs were left, want 2", done.Refs)
	}
	w.has(w.all())
}

// TestFirstPushOfALargeMirror pushes 1,500 tags and 30 branches at once.
func TestFirstPushOfALargeMirror(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var packed strings.Builder
	refs := make(map[string]mirror.Ref)
	for i := range 1500 {
		tag := object.Tag{
			Target: w.local.Commits["4"], TargetType: object.CommitType, Name: fmt.Sprintf("v0.%d.%d", i/50, i%50),
			Tagger: []byte("T Agger <tagger@example.com> 1600000000 +0000"), Message: fmt.Appendf(nil, "Release %d\n", i),
		}
		refs["refs/tags/"+tag.Name] = mirror.Ref{ID: w.local.Put(object.TagType, tag.Encode()), Peeled: tag.Target}
	}
	for i := range 30 {
		w.local.History(fmt.Sprintf("r%d 3: release=%d", i, i))
		refs[fmt.Sprintf("refs/heads/release-%d", i)] = mirror.Ref{ID: w.local.Commits[fmt.Sprintf("r%d", i)]}
	}
	for name, ref := range refs {
		fmt.Fprintf(&packed, "create %s %s\n", name, ref.ID)
	}
	w.local.GitInput(packed.String(), "update-ref", "--stdin")
	done, err := w.push(w.read(), refs)
	w.must(err)
	if done.Refs != 1530 || done.Steps != 1 {
		t.Errorf("pushed %+v, want 1530 refs in one step", done)
	}
	w.has(refs)
	if got := w.read(); len(got) != len(refs) {
		t.Errorf("%d refs can be read, want %d", len(got), len(refs))
	}
}
