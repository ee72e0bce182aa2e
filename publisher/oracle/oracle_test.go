// Package oracle_test holds the whole pipeline against modules that everyone
// has: the patch releases of Kubernetes' own staged modules, which another
// publisher made.
//
// The public modules are put back into the form that they have in a monorepo,
// with siblings at v0.0.0, replaced by the directory next door, and without
// checksums of siblings. The release branch and tags made of that are published, and
// the go command downloads the result from the mirrors. Three witnesses, none
// of which is this publisher's code, say whether it is what was published then:
//
//   - the checksum database, by which the go command checks the public modules
//     unless it is configured otherwise (https://go.dev/ref/mod#checksum-database),
//   - the public modules' own go.sum files, which name their siblings' hashes,
//   - a consumer's go.sum, written by the go command from the public modules.
//
// An h1: hash covers names and contents of files, not their modes, and a module
// zip has no symbolic links: of these the test says nothing.
//
// Only what the module cache lacks is downloaded, from the module proxy.
package oracle_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// versions are those that are published. Between the first and the second,
// files change; between the second and the third, nothing does but the version
// of siblings, so that the two tags grow from one commit of each branch.
var versions = []string{"v0.36.0", "v0.36.5", "v0.36.6"}

// modules are staged, with what their go.mod files require of each other:
// client-go needs all those before it, and the last one shows client-go's
// hash in its go.sum.
var modules = []staged{
	{name: "streaming"},
	{name: "apimachinery", dependencies: []string{"streaming"}},
	{name: "api", dependencies: []string{"apimachinery", "streaming"}},
	{name: "client-go", dependencies: []string{"api", "apimachinery", "streaming"}},
	{name: "component-helpers", dependencies: []string{"api", "apimachinery", "client-go", "streaming"}},
}

func TestReleasesAreByteForByteThePublicOnes(t *testing.T) {
	public := readReleases(t)
	mirrors := newMirrors(t, newMonorepo(t, public, versions...))
	mirrors.publish()
	mirrors.compare(public)
}

func TestReleasesPublishedOneByOneAreThosePublishedAtOnce(t *testing.T) {
	public := readReleases(t)
	source := newMonorepo(t, public)
	oneByOne, atOnce := newMirrors(t, source), newMirrors(t, source)
	for _, version := range versions {
		source.release(version, public[version])
		oneByOne.publish()
	}
	atOnce.publish()
	for _, m := range modules {
		// The same hashes are the same commits with the same trees.
		if got, want := oneByOne.refs(m), atOnce.refs(m); got != want {
			t.Errorf("%s, published release by release, has the refs\n%s\npublished at once:\n%s", m.name, got, want)
		}
	}
}

// program imports something of each module.
const program = `package main

import (
	"fmt"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/component-helpers/storage/ephemeral"
	"k8s.io/streaming/pkg/httpstream"
)

func main() {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	queue.Add("web")
	name, _ := queue.Get()
	pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name}}
	claim := ephemeral.VolumeClaimName(pod, &core.Volume{Name: "scratch"})
	fmt.Println(claim, httpstream.HeaderUpgrade)
}
`

func TestConsumerTrustsTheMirrorsAsItTrustedThePublicModules(t *testing.T) {
	public := readReleases(t)
	mirrors := newMirrors(t, newMonorepo(t, public, versions...))
	mirrors.publish()
	// With an empty cache and without a network, what go.mod and go.sum say
	// of the public modules has to hold for the mirrors.
	offline := []string{
		"GOPROXY=file://" + mirrors.proxy() + ",file://" + filepath.Join(userModuleCache(t), "cache", "download"),
		"GOMODCACHE=" + filepath.Join(t.TempDir(), "mod"), "GOPRIVATE=", "GONOPROXY=none", "GOSUMDB=off", "GOFLAGS=-modcacherw",
	}

	for _, version := range []string{versions[0], versions[len(versions)-1]} {
		t.Run(version, func(t *testing.T) {
			consumer := t.TempDir()
			write(t, filepath.Join(consumer, "main.go"), program)
			write(t, filepath.Join(consumer, "go.mod"), "module example.com/consumer\n\ngo 1.26.0\n")
			var pins, paths []string
			for _, m := range modules {
				pins = append(pins, m.path()+"@"+version)
				paths = append(paths, m.path())
			}
			// The go command writes go.mod and go.sum from the public modules.
			goCommand(t, consumer, nil, append([]string{"get"}, pins...)...)
			goCommand(t, consumer, nil, "build", "-mod=mod", "-trimpath", "-o", "public", ".")
			before := contents(t, consumer, "go.mod", "go.sum")

			goCommand(t, consumer, offline, append([]string{"mod", "download"}, paths...)...)
			goCommand(t, consumer, offline, "build", "-mod=readonly", "-trimpath", "-o", "mirrored", ".")
			if out := goCommand(t, consumer, offline, "mod", "verify"); strings.TrimSpace(out) != "all modules verified" {
				t.Errorf("go mod verify: %s", out)
			}
			if after := contents(t, consumer, "go.mod", "go.sum"); !maps.Equal(after, before) {
				t.Errorf("go.mod and go.sum became %v, were %v", after, before)
			}
			downloaded := download(t, offline, version)
			for _, m := range modules {
				if got, want := downloaded[m.path()].Origin.Hash, mirrors.commit(m, version); got != want {
					t.Errorf("%s@%s came from commit %q, not from the mirror's %s", m.path(), version, got, want)
				}
			}
			binaries := contents(t, consumer, "public", "mirrored")
			if binaries["public"] != binaries["mirrored"] {
				t.Error("the program built from the mirrors differs from the one built from the public modules")
			}
			if out := run(t, consumer, nil, filepath.Join(consumer, "mirrored")); out != "web-scratch Upgrade\n" {
				t.Errorf("the program says %q", out)
			}
		})
	}
}

// contents reads files of a directory.
func contents(t *testing.T, dir string, names ...string) map[string]string {
	t.Helper()
	all := make(map[string]string, len(names))
	for name := range slices.Values(names) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(data)
	}
	return all
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}
