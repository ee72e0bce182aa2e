package modhash

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"go/version"
	"strings"
	"unicode"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"k8s.io/publisher/object"
)

// A node is what one directory contributes to a module zip. It does not depend
// on the directory's path but for its [role], so it is shared by all versions
// and all places that have the same tree.
type node struct {
	// entries are the files in the zip and the directories that have any, in
	// git's order.
	entries []entry
	// size is in bytes, of all files in the zip from here down. Like archived,
	// headers and depth it grows no further than beyond what is allowed: a few
	// trees that hold one another many times unfold to more than can be counted.
	size int64
	// archived is how many files and directories git archives from here down, and
	// headers the fewest bytes that they take in its zip, contents aside.
	archived, headers int64
	// depth is how many directories are inside one another from here down.
	depth int
	// reached says that some file or link from here down has its path checked,
	// be it left out later. Directories without one may have any name.
	reached bool
	// fault is the first thing that makes the module unfetchable.
	fault *fault
	// needsGit says that only git archive can tell what the go command gets.
	needsGit bool
}

// entry is a directory where it has a child, else a file.
type entry struct {
	name  string
	sum   [sha256.Size]byte
	blob  object.ID
	child *node
}

type fault struct {
	path string
	err  error
}

// errTooDeep is of a directory from which the module's root is too far away.
var errTooDeep = fmt.Errorf("directories are more than %d deep inside one another", object.MaxTreeDepth)

// cut keeps the end of a path that is too long to be told.
func cut(path string) string {
	const most = 500
	if over := len(path) - most; over > 0 {
		path = "..." + strings.ToValidUTF8(path[over:], "")
	}
	return path
}

// bounded adds up what may not exceed the size of a zip.
func bounded(a, b int64) int64 { return min(a+b, zip.MaxZipFile+1) }

// role is the position of a directory in its module, as far as the rules of
// module zips tell positions apart.
type role uint8

const (
	rootDir role = iota
	packageDir
	// rootVendorDir and vendorDir give their files, but no directories: a
	// package's path does not end in vendor.
	rootVendorDir
	vendorDir
	// outsideDir gives nothing. It is still looked at, as what git makes of it
	// may fail the whole.
	outsideDir
)

// place is a tree in a role. Modern is whether the module's go.mod asks for Go
// 1.24 or later, where that makes a difference.
type place struct {
	tree   object.ID
	role   role
	modern bool
}

// sub returns the place of the directory called name.
func (p place) sub(name string, tree object.ID) place {
	switch {
	case p.role != rootDir && p.role != packageDir:
		return place{tree: tree, role: outsideDir}
	case name != "vendor":
		return place{tree: tree, role: packageDir, modern: p.modern}
	case p.role == rootDir && p.modern:
		return place{tree: tree, role: rootVendorDir}
	case p.role == rootDir || p.modern:
		return place{tree: tree, role: vendorDir}
	default:
		// Until 1.24 a miscounted prefix made every file below a vendor
		// directory look vendored, save at the root. Hashes made then must hold.
		return place{tree: tree, role: outsideDir}
	}
}

// omits reports whether a file is left out for its name, unchecked.
func (p place) omits(name string) bool {
	switch p.role {
	case rootDir:
		return name == ".hg_archival.txt"
	case rootVendorDir:
		return name == "modules.txt"
	default:
		return p.role == outsideDir
	}
}

// root returns the node of a module's root. A go version that is nil is to be read.
func (h *Hasher) root(tree object.ID, goVersion *string) (*node, error) {
	h.begin()
	known := place{tree: tree, role: rootDir} // whatever its go.mod asks for
	if n := h.nodes.get(known); n != nil {
		return n, nil
	}
	entries, err := h.tree(tree)
	if err != nil {
		return nil, err
	}
	if goVersion == nil {
		read, err := h.goVersion(entries)
		if err != nil {
			return nil, err
		}
		goVersion = &read
	}
	n, err := h.build(place{tree: tree, role: rootDir, modern: modern(*goVersion)}, entries)
	if errors.Is(err, errTooDeep) {
		n, err = &node{fault: &fault{err: errTooDeep}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cut("/"+strings.Join(h.path, "/")), err)
	}
	if n.headers > zip.MaxZipFile {
		n = &node{fault: &fault{err: fmt.Errorf("so many files take more than the %d bytes that an archive may have", int64(zip.MaxZipFile))}}
	}
	h.nodes.put(known, n)
	return n, nil
}

func (h *Hasher) node(p place) (*node, error) {
	if n := h.nodes.get(p); n != nil {
		return n, nil
	}
	entries, err := h.tree(p.tree)
	if err != nil {
		return nil, err
	}
	var n *node
	if p.role != outsideDir && declaresModule(entries) {
		n, err = h.node(place{tree: p.tree, role: outsideDir})
	} else {
		n, err = h.build(p, entries)
	}
	if err != nil {
		return nil, err
	}
	h.nodes.put(p, n)
	return n, nil
}

func (h *Hasher) build(p place, entries []object.Entry) (*node, error) {
	n := &node{needsGit: object.CheckEntries(entries) != nil}
	var names foldedNames
	for _, e := range entries {
		n.needsGit = n.needsGit || gitMayRefuse(e)
		// A zip has two headers for each, which name it.
		n.archived = bounded(n.archived, 1)
		n.headers = bounded(n.headers, 30+46+2*int64(len(e.Name)))
		var err error
		switch {
		case e.Mode.IsDir():
			err = h.addDir(n, p, e, &names)
		case e.Mode.IsRegular() || isSymlink(e.Mode):
			err = h.addFile(n, p, e, &names)
		default:
			// Git archives a submodule as an empty directory.
		}
		if err != nil {
			return nil, err
		}
	}
	h.nodes.held.Add(1 + int64(len(n.entries)))
	return n, nil
}

func (h *Hasher) addDir(n *node, p place, e object.Entry, names *foldedNames) error {
	if len(h.path) == object.MaxTreeDepth {
		return errTooDeep
	}
	h.path = append(h.path, e.Name)
	child, err := h.node(p.sub(e.Name, e.ID))
	if err != nil {
		return err
	}
	h.path = h.path[:len(h.path)-1]
	if n.depth = max(n.depth, child.depth+1); n.depth > object.MaxTreeDepth {
		return errTooDeep
	}
	n.archived = bounded(n.archived, child.archived)
	n.headers = bounded(n.headers, bounded(child.headers, child.archived*2*int64(len(e.Name)+1)))
	n.needsGit = n.needsGit || child.needsGit
	if !child.reached {
		return nil
	}
	n.reached = true
	if n.fault == nil {
		n.fault = names.check(e.Name)
	}
	if n.fault == nil && child.fault != nil {
		n.fault = &fault{cut(e.Name + "/" + child.fault.path), child.fault.err}
	}
	n.size = bounded(n.size, child.size)
	if len(child.entries) > 0 {
		n.entries = append(n.entries, entry{name: e.Name, child: child})
	}
	return nil
}

func (h *Hasher) addFile(n *node, p place, e object.Entry, names *foldedNames) error {
	if e.Name == ".gitattributes" {
		converts, err := h.attributesConvert(p.tree, e.ID)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		n.needsGit = n.needsGit || converts
	}
	if p.omits(e.Name) {
		return nil
	}
	n.reached = true
	if n.fault == nil {
		n.fault = names.check(e.Name)
	}
	if n.fault == nil && p.role == rootDir && e.Name != "go.mod" && strings.ToLower(e.Name) == "go.mod" {
		n.fault = &fault{e.Name, errors.New("a go.mod file has a lowercase name")}
	}
	if isSymlink(e.Mode) {
		return nil
	}
	b, err := h.blob(e.ID)
	if err != nil {
		return fmt.Errorf("%s: %w", e.Name, err)
	}
	if n.fault == nil && p.role == rootDir &&
		(e.Name == "go.mod" && b.Size > zip.MaxGoMod || e.Name == "LICENSE" && b.Size > zip.MaxLICENSE) {
		n.fault = &fault{e.Name, fmt.Errorf("%d bytes is more than such a file may have", b.Size)}
	}
	n.size = bounded(n.size, b.Size)
	n.entries = append(n.entries, entry{name: e.Name, sum: b.Sum, blob: e.ID})
	return nil
}

func (h *Hasher) tree(id object.ID) ([]object.Entry, error) {
	data, err := h.objects.Tree(id)
	if err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", id, err)
	}
	entries, err := object.ParseTree(data)
	if err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", id, err)
	}
	return entries, nil
}

func (h *Hasher) blob(id object.ID) (Blob, error) {
	if b, ok := h.sums.Get(id); ok {
		return b, nil
	}
	data, err := h.objects.Blob(id)
	if err != nil {
		return Blob{}, fmt.Errorf("reading blob %s: %w", id, err)
	}
	b := NewBlob(data)
	h.sums.Put(id, b)
	return b, nil
}

// modern reports whether a go directive asks for Go 1.24 or later.
func modern(goVersion string) bool {
	return version.Compare(version.Lang("go"+goVersion), "go1.24") >= 0
}

// goVersion returns the go directive of a root directory's go.mod; nothing where
// there is none, or where it cannot be read as a go.mod.
func (h *Hasher) goVersion(entries []object.Entry) (string, error) {
	for _, e := range entries {
		if e.Name != "go.mod" || !e.Mode.IsRegular() {
			continue
		}
		data, err := h.objects.Blob(e.ID)
		if err != nil {
			return "", fmt.Errorf("go.mod: reading blob %s: %w", e.ID, err)
		}
		if len(data) > zip.MaxGoMod {
			return "", nil // It is unfetchable, and could take minutes to parse.
		}
		f, err := modfile.ParseLax("go.mod", data, nil)
		if err != nil || f.Go == nil {
			return "", nil
		}
		return f.Go.Version, nil
	}
	return "", nil
}

// declaresModule reports whether a directory below the root is a module of its
// own, which a go.mod file makes it in any case of its letters.
func declaresModule(entries []object.Entry) bool {
	for _, e := range entries {
		if e.Mode.IsRegular() && strings.EqualFold(e.Name, "go.mod") {
			return true
		}
	}
	return false
}

func isSymlink(m object.Mode) bool { return m&0o170000 == object.ModeSymlink }

// foldedNames finds names in one directory that cannot be stored everywhere.
// Whole paths need no look: a path is valid if its elements are, and two paths
// collide where, below their last common directory, two elements do.
type foldedNames struct {
	seen map[string]string
}

func (f *foldedNames) check(name string) *fault {
	if err := module.CheckFilePath(name); err != nil {
		if invalid, ok := errors.AsType[*module.InvalidPathError](err); ok {
			err = invalid.Err
		}
		return &fault{name, err}
	}
	folded := strings.Map(foldRune, name)
	if other, ok := f.seen[folded]; ok {
		return &fault{name, fmt.Errorf("name collides with %q where letter case is ignored", other)}
	}
	if f.seen == nil {
		f.seen = make(map[string]string)
	}
	f.seen[folded] = name
	return nil
}

// foldRune picks one rune for all that are the same but for case, so that
// folded strings are equal exactly where strings.EqualFold finds the originals
// equal. Lower-casing is not enough: the Kelvin sign folds to k.
func foldRune(r rune) rune {
	if 'a' <= r && r <= 'z' && r != 'k' && r != 's' || '-' <= r && r <= '9' || r == '_' {
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
