package verify_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/publishtest"
	"k8s.io/publisher/session"
	"k8s.io/publisher/verify"
)

// Each of these makes git show, or do, something else with objects and refs that
// may be as they should.
func TestForgeryIsFound(t *testing.T) {
	whole := publish(t)
	setting := func(key, value string) func(*world, mirrorRepo) {
		return func(_ *world, m mirrorRepo) { m.Git("config", "--add", key, value) }
	}
	for _, test := range []struct {
		name   string
		tamper func(*world, mirrorRepo)
		want   string // in what is said of the mirror
	}{
		{"HEAD at another branch", func(_ *world, m mirrorRepo) { m.write("HEAD", "ref: "+release+"\n") }, "git symbolic-ref HEAD " + master},
		{"HEAD at a branch that is not there", func(_ *world, m mirrorRepo) { m.write("HEAD", "ref: refs/heads/nope\n") }, "HEAD is "},
		{"HEAD at a commit", func(_ *world, m mirrorRepo) { m.write("HEAD", m.id(master).String()+"\n") }, "HEAD is "},
		{"HEAD that is a link", func(w *world, m mirrorRepo) {
			w.Must(os.Remove(m.path("HEAD")))
			w.Must(os.Symlink(release, m.path("HEAD")))
		}, "HEAD is no file"},

		{"shallow", func(_ *world, m mirrorRepo) { m.write("shallow", m.id("master~1").String()+"\n") }, "shallow: it cuts history off"},
		{"grafts", func(_ *world, m mirrorRepo) { m.write("info/grafts", m.id(master).String()+"\n") }, "info/grafts: it gives commits other parents"},
		{"grafts that git is not to warn of", func(_ *world, m mirrorRepo) {
			m.write("info/grafts", m.id(master).String()+"\n")
			m.Git("config", "advice.graftFileDeprecated", "false")
		}, "advice.graftfiledeprecated"},
		{"objects of another repository", func(w *world, m mirrorRepo) {
			elsewhere := filepath.Join(w.TempDir(), "objects")
			w.Must(os.Rename(m.path("objects"), elsewhere))
			m.write("objects/info/alternates", elsewhere+"\n")
		}, "objects/info/alternates: the objects are another repository's"},
		{"objects from elsewhere over HTTP", func(_ *world, m mirrorRepo) { m.write("objects/info/http-alternates", "http://evil/\n") }, "objects/info/http-alternates"},
		{"refs of another repository", func(w *world, m mirrorRepo) {
			w.Must(os.Rename(m.path("refs"), m.path("../refs")))
			w.Must(os.Symlink("../refs", m.path("refs")))
		}, "refs is no file or folder of the mirror's own"},
		{"everything of another repository", func(_ *world, m mirrorRepo) { m.write("commondir", "../other.git\n") }, "commondir: git takes refs"},
		{"file that is a revision", func(_ *world, m mirrorRepo) { m.write("v0.20.0", m.id(master).String()+"\n") }, "v0.20.0: no ordinary mirror has it"},
		{"attributes for archives", func(_ *world, m mirrorRepo) { m.write("info/attributes", "lib.go export-ignore\n") }, "info/attributes: it changes what git archives"},

		{"clone without blobs", func(w *world, m mirrorRepo) {
			m.Git("config", "uploadpack.allowFilter", "true")
			partial := filepath.Join(w.TempDir(), "partial.git")
			gittest.Git(w, w.TempDir(), "", "clone", "--quiet", "--mirror", "--filter=blob:none", "file://"+m.Dir, partial)
			w.Must(os.RemoveAll(m.Dir))
			w.Must(os.Rename(partial, m.Dir))
		}, "missing blob"},
		{"pack of which nothing is missed", func(w *world, m mirrorRepo) {
			packs, err := filepath.Glob(m.path("objects/pack/*.pack"))
			w.Must(err)
			w.Must(os.WriteFile(strings.TrimSuffix(packs[0], "pack")+"promisor", nil, 0o666))
		}, ".promisor: git misses no object"},
		{"objects on demand", setting("remote.evil.promisor", "true"), "remote.evil.promisor"},
		{"objects on demand, the other way", setting("extensions.partialClone", "evil"), "extensions.partialclone"},

		{"refs hidden from all", setting("transfer.hideRefs", "refs/tags/v0.20.0"), "transfer.hiderefs"},
		{"refs hidden from who fetches", setting("uploadpack.hideRefs", "refs/tags"), "uploadpack.hiderefs"},
		{"refs hidden from who pushes", setting("receive.hideRefs", "refs/tags"), "receive.hiderefs"},
		{"settings of another file", setting("include.path", "/etc/evil"), "include.path"},
		{"settings of another file, on a condition", setting("includeIf.gitdir:/.path", "/etc/evil"), "includeif"},
		{"files elsewhere", setting("core.worktree", "/"), "core.worktree"},
		{"no bare repository", func(_ *world, m mirrorRepo) { m.Git("config", "core.bare", "false") }, "core.bare = false"},
		{"another form", func(_ *world, m mirrorRepo) { m.Git("config", "core.repositoryFormatVersion", "2") }, "core.repositoryformatversion = 2"},
		{"program that reads refs", setting("core.alternateRefsCommand", "evil"), "core.alternaterefscommand"},
		{"hooks elsewhere", setting("core.hooksPath", "/evil"), "core.hookspath"},
		{"program that is asked at a repack", setting("gc.recentObjectsHook", "evil"), "gc.recentobjectshook"},
		{"program of a remote", setting("remote.hub.uploadpack", "evil"), "remote.hub.uploadpack"},
		{"addresses that are rewritten", setting("url./evil/.insteadOf", "https://"), "url./evil/.insteadof"},
		{"settings that git cannot read", func(_ *world, m mirrorRepo) { m.write("config", "[core\n") }, "config: "},
		{"hook", func(w *world, m mirrorRepo) {
			m.write("hooks/post-receive", "#!/bin/sh\n")
			w.Must(os.Chmod(m.path("hooks/post-receive"), 0o777))
		}, "hooks/post-receive: git would run it"},

		{"tag that peels to another commit", func(_ *world, m mirrorRepo) {
			m.packed(func(lines []string) []string {
				i := slices.IndexFunc(lines, func(l string) bool { return strings.HasSuffix(l, "refs/tags/v0.20.0") })
				lines[i+1] = "^" + m.id(master).String()
				return lines
			})
		}, "packed-refs says that refs/tags/v0.20.0 peels to "},
		{"tag that does not peel", func(_ *world, m mirrorRepo) {
			m.packed(func(lines []string) []string {
				i := slices.IndexFunc(lines, func(l string) bool { return strings.HasSuffix(l, "refs/tags/v0.20.0") })
				return slices.Delete(lines, i+1, i+2)
			})
		}, "packed-refs says that refs/tags/v0.20.0 peels to "},
		{"branch that peels", func(_ *world, m mirrorRepo) {
			m.packed(func(lines []string) []string { return slices.Insert(lines, 2, "^"+m.id("master~1").String()) })
		}, "packed-refs says that refs/heads/master peels to "},
		{"packed refs that git does not find", func(_ *world, m mirrorRepo) {
			m.packed(func(lines []string) []string { return append(lines[:1:1], append(lines[2:], lines[1])...) })
		}, "where git does not look for it"},
		{"packed ref that is there twice", func(_ *world, m mirrorRepo) {
			m.packed(func(lines []string) []string { return slices.Insert(lines, 2, lines[1]) })
		}, "where git does not look for it"},
		{"packed refs that are none", func(_ *world, m mirrorRepo) {
			m.packed(func(lines []string) []string { return append(lines, "evil") })
		}, "it is no ref"},
		{"file that hides a packed ref", func(_ *world, m mirrorRepo) { m.write(release, m.id("release-1.20~1").String()+"\n") }, "dropped commit " + release},
		{"ref that cannot be read", func(_ *world, m mirrorRepo) { m.write(release, "evil\n") }, release + ": "},
		{"ref that is a link", func(w *world, m mirrorRepo) { w.Must(os.Symlink("master", m.path("refs/heads/mine"))) }, "stray ref refs/heads/mine"},
		{"object that is replaced", func(_ *world, m mirrorRepo) { m.Git("replace", m.id(master).String(), m.id("master~1").String()) }, "stray ref refs/replace/"},
		{"notes", func(_ *world, m mirrorRepo) { m.Git("notes", "add", "-m", "evil", master) }, "stray ref refs/notes/commits"},
		{"history that a ref excuses", func(_ *world, m mirrorRepo) {
			m.rewrite(master, m.id("master~1"), func(c *object.Commit) bool { c.Author = c.Committer; c.Message = []byte("evil\n"); return true })
			m.SetRef("refs/publisher/takeover/master", m.id(master))
		}, "rewritten branch " + master},

		{"refs over HTTP that are old", func(_ *world, m mirrorRepo) {
			m.Git("update-server-info")
			data, err := os.ReadFile(m.path("info/refs"))
			m.must(err)
			m.write("info/refs", strings.Replace(string(data), m.id(master).String(), m.id("master~1").String(), 1))
		}, "git update-server-info"},
		{"refs over HTTP that lack one", func(_ *world, m mirrorRepo) {
			m.Git("update-server-info")
			data, err := os.ReadFile(m.path("info/refs"))
			m.must(err)
			_, rest, _ := strings.Cut(string(data), "\n")
			m.write("info/refs", rest)
		}, "info/refs lacks "},

		{"commit graph that lies", func(w *world, m mirrorRepo) {
			m.Git("commit-graph", "write", "--reachable")
			m.patch("objects/info/commit-graph", "CDAT", func(commits []byte) {
				for at := 0; at < len(commits); at += 36 {
					binary.BigEndian.PutUint32(commits[at+20:], 0x70000000) // no parent
				}
			})
		}, "commit-graph"},
		{"index of many packs that lies", func(w *world, m mirrorRepo) {
			m.Git("multi-pack-index", "write")
			m.patch("objects/pack/multi-pack-index", "OOFF", func(offsets []byte) { copy(offsets[4:8], offsets[12:16]) })
		}, "offset"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := whole.copy(t)
			test.tamper(w, w.mirror(lib))
			r := w.Verify()
			if !slices.ContainsFunc(of(r, lib).Mismatches, func(m verify.Mismatch) bool { return strings.Contains(m.String(), test.want) }) {
				t.Errorf("nothing says %q:\n%s", test.want, text(r))
			}
		})
	}
}

// What git and its users do to a repository that they look after is no forgery.
func TestOrdinaryUseIsNoForgery(t *testing.T) {
	whole := publish(t)
	for _, test := range []struct {
		name string
		use  func(*world, mirrorRepo)
	}{
		{"a remote to push to", func(w *world, m mirrorRepo) {
			hub := filepath.Join(w.TempDir(), "hub.git")
			gittest.Git(w, w.TempDir(), "", "init", "--quiet", "--bare", "--initial-branch=master", hub)
			m.Git("remote", "add", "hub", hub)
			m.Git("push", "--quiet", "--set-upstream", "hub", "master")
			m.Git("remote", "set-head", "hub", "--auto")
		}},
		{"a mirror to push to", func(w *world, m mirrorRepo) { m.Git("remote", "add", "--mirror=push", "hub", w.TempDir()) }},
		{"gc", func(_ *world, m mirrorRepo) { m.Git("gc", "--quiet", "--aggressive") }},
		{"repack with a bitmap", func(_ *world, m mirrorRepo) { m.Git("repack", "-adbq") }},
		{"repack with an index of many packs", func(_ *world, m mirrorRepo) { m.Git("repack", "-adbq", "--write-midx") }},
		{"commit graph", func(_ *world, m mirrorRepo) { m.Git("commit-graph", "write", "--reachable", "--changed-paths") }},
		{"commit graph in parts", func(_ *world, m mirrorRepo) { m.Git("commit-graph", "write", "--reachable", "--split") }},
		{"maintenance", func(_ *world, m mirrorRepo) {
			m.Git("config", "maintenance.strategy", "incremental")
			m.Git("maintenance", "run", "--quiet", "--task=loose-objects", "--task=incremental-repack", "--task=pack-refs", "--task=commit-graph")
		}},
		{"loose objects", func(_ *world, m mirrorRepo) { gittest.Unpack(m.TB, m.Dir) }},
		{"loose refs", func(w *world, m mirrorRepo) {
			id := m.id(master).String()
			m.Git("update-ref", master, "master~1")
			m.Git("update-ref", master, id)
		}},
		{"pack-refs of an older git", func(_ *world, m mirrorRepo) {
			m.packed(func(lines []string) []string {
				return slices.DeleteFunc(lines, func(l string) bool { return l[0] == '#' || l[0] == '^' })
			})
		}},
		{"files over HTTP", func(_ *world, m mirrorRepo) { m.Git("update-server-info") }},
		{"init once more", func(_ *world, m mirrorRepo) { m.Git("init", "--quiet", "--bare", "--shared=group", m.Dir) }},
		{"logs of refs", func(_ *world, m mirrorRepo) {
			m.Git("config", "core.logAllRefUpdates", "always")
			m.Git("update-ref", "--create-reflog", "-m", "same", master, master)
		}},
		{"what a fetch and a failed gc leave", func(_ *world, m mirrorRepo) {
			m.write("FETCH_HEAD", m.id(master).String()+"\tbranch 'master' of hub\n")
			m.write("gc.log", "warning: there are too many unreachable loose objects\n")
			m.write("hooks/post-receive", "#!/bin/sh\n") // It cannot be run.
		}},
		{"a lock that is held", func(_ *world, m mirrorRepo) { m.write("packed-refs.lock", "") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := whole.copy(t)
			test.use(w, w.mirror(lib))
			w.clean(verify.Destination{Name: lib, Branches: 2, Tags: 6, Commits: 6})
		})
	}
}

// The verdict is about the mirrors, not about who asks.
func TestNothingOfTheUserChangesTheVerdict(t *testing.T) {
	home := t.TempDir()
	for name, text := range map[string]string{
		".gitconfig": "[core]\n\tattributesFile = " + home + "/attributes\n\tautocrlf = true\n[fsck]\n\tskipList = /nope\n",
		"attributes": "* export-ignore eol=crlf\n",
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []string{"HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(v, home)
	}
	w := publish(t)
	t.Setenv("GIT_DIR", w.Source.Dir)
	t.Setenv("GIT_OBJECT_DIRECTORY", filepath.Join(w.Source.Dir, "objects"))
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "core.attributesFile")
	t.Setenv("GIT_CONFIG_VALUE_0", filepath.Join(home, "attributes"))
	w.clean(verify.Destination{Name: lib, Branches: 2, Tags: 6, Commits: 6})
}

// Without git, nothing can be said of any mirror.
func TestErrorOfThisMachineIsNoMismatch(t *testing.T) {
	w := publish(t)
	s := w.Open(session.Options{Forget: true})
	defer func() { w.Must(s.Close()) }()
	t.Setenv("PATH", t.TempDir())
	if r, err := verify.Run(t.Context(), verify.Input{Source: s.Repo, Rules: s.RuleSet, Mirrors: w.Mirrors}); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestRepackBesideIsNoMismatch(t *testing.T) {
	w := publish(t)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, name := range []string{lib, app, tool} {
				w.mirror(name).Git("repack", "-adfq")
			}
		}
	}()
	for range 3 {
		w.clean()
	}
	close(stop)
	<-done
}

// copy returns the world with mirrors of its own.
func (w *world) copy(t *testing.T) *world {
	t.Helper()
	mirrors := filepath.Join(t.TempDir(), "mirrors")
	if err := os.CopyFS(mirrors, os.DirFS(w.Mirrors)); err != nil {
		t.Fatal(err)
	}
	source := *w.Source
	source.TB = t
	return &world{publishtest.World{TB: t, Source: &source, Rules: w.Rules, Mirrors: mirrors}}
}

func (m mirrorRepo) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m mirrorRepo) path(name string) string { return filepath.Join(m.Dir, name) }

// write writes a file of the repository, which git may have made read-only.
func (m mirrorRepo) write(name, text string) {
	m.Helper()
	m.must(os.MkdirAll(filepath.Dir(m.path(name)), 0o777))
	if err := os.Remove(m.path(name)); err != nil && !os.IsNotExist(err) {
		m.Fatal(err)
	}
	m.must(os.WriteFile(m.path(name), []byte(text), fs.FileMode(0o666)))
}

// packed edits the lines of packed-refs, of which the first is git's.
func (m mirrorRepo) packed(edit func([]string) []string) {
	m.Helper()
	m.Git("pack-refs", "--all")
	data, err := os.ReadFile(m.path("packed-refs"))
	m.must(err)
	lines := edit(strings.Split(strings.TrimSuffix(string(data), "\n"), "\n"))
	m.write("packed-refs", strings.Join(lines, "\n")+"\n")
}

// patch edits a chunk of a file that is made of chunks, and its checksum
// (gitformat-chunk(5)).
func (m mirrorRepo) patch(name, chunk string, edit func([]byte)) {
	m.Helper()
	data, err := os.ReadFile(m.path(name))
	m.must(err)
	at := bytes.Index(data, []byte(chunk))
	from, to := binary.BigEndian.Uint64(data[at+4:]), binary.BigEndian.Uint64(data[at+16:])
	edit(data[from:to])
	sum := sha1.Sum(data[:len(data)-sha1.Size])
	copy(data[len(data)-sha1.Size:], sum[:])
	m.write(name, string(data))
}
