// Package modhash computes the two hashes that go.sum holds for a module
// version, straight from the git objects of the module's repository.
//
// A go.sum line for a module is the hash of its zip, and a second line is that
// of its go.mod alone. Both are "h1:" hashes: the base64 form of the SHA-256 of
// a summary with one line per file, sorted by name,
//
//	<SHA-256 of the content, in hexadecimal>  <path>@<version>/<name>
//
// (golang.org/x/mod/sumdb/dirhash, Hash1). Names in the second kind of hash are
// a bare "go.mod". As neither the zip's compression nor its dates are hashed,
// no zip is needed: what matters is which files the go command puts in, and
// with which bytes. That is decided twice:
//
//   - The go command fetches with "git archive", which may convert contents as
//     .gitattributes says. It turns export-ignore and export-subst off.
//   - golang.org/x/mod/zip leaves out symbolic links, nested modules and
//     vendored packages, and refuses names that some system cannot store.
//
// The second half is applied here tree by tree, and what a tree contributes is
// remembered, so that a version costs little more than what it changed. The
// first half is reimplemented nowhere: trees whose attributes may convert
// contents, and those that git itself may refuse, are handed to git archive.
package modhash

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/object"
)

// Objects gives the content of git objects, without their headers. The slices
// are only read. A [Hasher] does not call it from two goroutines at once.
type Objects interface {
	Tree(id object.ID) ([]byte, error)
	Blob(id object.ID) ([]byte, error)
}

// Blob is what a module zip needs of a file: the SHA-256 and the size in bytes of
// its content.
type Blob struct {
	Sum  [sha256.Size]byte
	Size int64
}

// NewBlob returns the Blob with this content.
func NewBlob(content []byte) Blob { return Blob{sha256.Sum256(content), int64(len(content))} }

// Sums remembers blobs by their names. It is safe for concurrent use, and may
// outlive the process: what is behind a name never changes.
type Sums interface {
	Get(blob object.ID) (b Blob, ok bool)
	Put(blob object.ID, b Blob)
}

// UnfetchableError reports a module version that the go command refuses to
// download, whoever asks and wherever it comes from.
type UnfetchableError struct {
	Module module.Version
	// Path names the file or directory at fault, relative to the module's root.
	// It is empty where the fault is not one file's, and cut where it is very long.
	Path string
	Err  error
}

func (e *UnfetchableError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("module %s cannot be fetched: %v", e.Module, e.Err)
	}
	return fmt.Sprintf("module %s cannot be fetched: %s: %v", e.Module, e.Path, e.Err)
}

func (e *UnfetchableError) Unwrap() error { return e.Err }

// Hasher computes the hashes of module zips. It remembers what each directory
// contributes, so one Hasher should see all versions of a module, in any order.
// It is not safe for concurrent use; [Hasher.Another] is for that.
type Hasher struct {
	objects Objects
	sums    Sums

	shared *directories
	// nodes are those that this version is made from; others may forget theirs.
	nodes *nodes
	// converts says of .gitattributes blobs how the names of the files end that they
	// may convert, and suspects whether there are such files.
	converts map[object.ID][]string
	suspects map[suspects]bool
	// path leads to the directory that is being read; after an error, to where
	// that was.
	path []string

	summary summary
}

// New returns a Hasher that reads objects and shares sums with other Hashers.
func New(objects Objects, sums Sums) *Hasher {
	return &Hasher{objects: objects, sums: sums, shared: &directories{limit: maxHeld}}
}

// Another returns a Hasher for another goroutine, which reads objects for itself. The
// two share all that they remember.
func (h *Hasher) Another(objects Objects) *Hasher {
	return &Hasher{objects: objects, sums: h.sums, shared: h.shared}
}

// begin begins with a version, and sees to it that no more is remembered than is
// allowed.
func (h *Hasher) begin() {
	if nodes := h.shared.current(); nodes != h.nodes {
		h.nodes = nodes
		h.converts, h.suspects = make(map[object.ID][]string), make(map[suspects]bool)
	}
	h.path = h.path[:0]
}

// Zip returns the "h1:" hash of the zip that the go command makes of m when the
// commit that m.Version names has this tree and the module is at its root.
//
// The tree is taken as it is: whether its go.mod declares m.Path is for the
// caller to know. The error is an [*UnfetchableError] where the go command
// makes no zip of the tree; others are about m or about reading objects.
func (h *Hasher) Zip(m module.Version, tree object.ID) (string, error) {
	return h.zip(m, tree, nil)
}

// ZipFor is [Hasher.Zip] for who knows what the go directive in the tree's go.mod
// says; nothing where there is none, or no go.mod that can be read.
func (h *Hasher) ZipFor(m module.Version, tree object.ID, goVersion string) (string, error) {
	return h.zip(m, tree, &goVersion)
}

func (h *Hasher) zip(m module.Version, tree object.ID, goVersion *string) (string, error) {
	root, err := h.checked(m, tree, goVersion)
	if err != nil {
		return "", err
	}
	if root.needsGit {
		sum, err := archiveSum(h.objects, m, tree)
		return sum, h.failed(m, tree, err)
	}
	return h.summary.hash(m, root), nil
}

// checked returns the root's node, of which all is known to be fetchable, unless only git
// can tell.
func (h *Hasher) checked(m module.Version, tree object.ID, goVersion *string) (*node, error) {
	if v := module.CanonicalVersion(m.Version); v != m.Version {
		return nil, fmt.Errorf("hashing module %s: version %q is not canonical", m, m.Version)
	}
	if err := module.Check(m.Path, m.Version); err != nil {
		return nil, fmt.Errorf("hashing module %s: %w", m, err)
	}
	root, err := h.root(tree, goVersion)
	if err != nil {
		return nil, h.failed(m, tree, err)
	}
	switch {
	case root.needsGit:
	case root.fault != nil:
		return nil, &UnfetchableError{Module: m, Path: root.fault.path, Err: root.fault.err}
	case root.size > zip.MaxZipFile:
		return nil, &UnfetchableError{Module: m, Err: fmt.Errorf("files take more than the %d bytes allowed", int64(zip.MaxZipFile))}
	}
	return root, nil
}

// failed says what was being hashed when something failed, unless the error says so.
func (h *Hasher) failed(m module.Version, tree object.ID, err error) error {
	if err == nil {
		return nil
	}
	if unfetchable, ok := errors.AsType[*UnfetchableError](err); ok {
		return unfetchable
	}
	return fmt.Errorf("hashing module %s: tree %s: %w", m, tree, err)
}

// GoMod returns the "h1:" hash of a go.mod file, which go.sum lists under the
// version with "/go.mod" added. For a module without a go.mod the go command
// hashes one that it makes up: "module <path>\n".
func GoMod(data []byte) string {
	sum := sha256.Sum256(data)
	line := hex.AppendEncode(nil, sum[:])
	line = append(line, "  go.mod\n"...)
	sum = sha256.Sum256(line)
	return encodeH1(sum[:])
}

func encodeH1(sum []byte) string { return "h1:" + base64.StdEncoding.EncodeToString(sum) }
