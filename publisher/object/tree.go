package object

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Mode is the type and permission bits of a tree entry, as git stores them.
type Mode uint32

// The modes that git writes.
const (
	ModeDir        Mode = 0o040000
	ModeRegular    Mode = 0o100644
	ModeExecutable Mode = 0o100755
	ModeSymlink    Mode = 0o120000
	ModeSubmodule  Mode = 0o160000
)

// IsDir reports whether the entry is a tree.
func (m Mode) IsDir() bool { return m&0o170000 == ModeDir }

// IsRegular reports whether the entry is a file, executable or not. Very old
// repositories have modes such as 0100664; they count.
func (m Mode) IsRegular() bool { return m&0o170000 == 0o100000 }

// IsSymlink reports whether the entry is a symbolic link.
func (m Mode) IsSymlink() bool { return m&0o170000 == ModeSymlink }

// IsSubmodule reports whether the entry is a commit of another repository.
func (m Mode) IsSubmodule() bool { return m&0o170000 == ModeSubmodule }

// MaxTreeDepth is how many directories may be inside one another: where git
// stops by itself (core.maxTreeDepth). Paths that deep do not fit into any
// system's files anyway. A few objects can make a tree of any depth, and one
// that a walk of its paths would never end in.
const MaxTreeDepth = 2048

// Entry is one line of a tree.
type Entry struct {
	Mode Mode
	Name string
	ID   ID
}

// NextEntry reads the first entry of data, which is a tree's content or the
// rest of one, and returns what follows it. The name aliases data, so that
// scanning a tree for one name allocates nothing.
func NextEntry(data []byte) (mode Mode, name []byte, id ID, rest []byte, err error) {
	i := 0
	for ; i < len(data) && data[i] != ' '; i++ {
		c := data[i]
		if c < '0' || c > '7' || i >= 7 {
			return 0, nil, ID{}, nil, malformed(TreeType, "mode %q", data[:i+1])
		}
		mode = mode<<3 | Mode(c-'0')
	}
	if i == 0 || i == len(data) {
		return 0, nil, ID{}, nil, malformed(TreeType, "entry without a mode")
	}
	data = data[i+1:]
	z := bytes.IndexByte(data, 0)
	if z <= 0 {
		return 0, nil, ID{}, nil, malformed(TreeType, "entry without a name")
	}
	if len(data) < z+1+len(id) {
		return 0, nil, ID{}, nil, malformed(TreeType, "entry %q is cut short", shorten(string(data[:z])))
	}
	name = data[:z]
	copy(id[:], data[z+1:])
	return mode, name, id, data[z+1+len(id):], nil
}

// ParseTree reads all entries of a tree in their order.
func ParseTree(data []byte) ([]Entry, error) {
	var entries []Entry
	for len(data) > 0 {
		mode, name, id, rest, err := NextEntry(data)
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{Mode: mode, Name: string(name), ID: id})
		data = rest
	}
	return entries, nil
}

// FindEntry returns the entry called name in a tree's content; ok is false
// where there is none.
func FindEntry(data []byte, name string) (mode Mode, id ID, ok bool, err error) {
	for len(data) > 0 {
		m, n, i, rest, err := NextEntry(data)
		if err != nil {
			return 0, ID{}, false, err
		}
		if string(n) == name {
			return m, i, true, nil
		}
		data = rest
	}
	return 0, ID{}, false, nil
}

// FindFile returns the regular file called name in a tree's content; zero where
// there is none.
func FindFile(data []byte, name string) (ID, error) {
	mode, id, ok, err := FindEntry(data, name)
	if err != nil || !ok || !mode.IsRegular() {
		return ID{}, err
	}
	return id, nil
}

// Subtree returns the tree of a directory below root; zero where there is none.
// The empty path is root itself. Trees are read with read.
func Subtree(read func(ID) ([]byte, error), root ID, dir string) (ID, error) {
	if dir == "" {
		return root, nil
	}
	for name := range strings.SplitSeq(dir, "/") {
		data, err := read(root)
		if err != nil {
			return ID{}, err
		}
		mode, id, ok, err := FindEntry(data, name)
		if err != nil {
			return ID{}, fmt.Errorf("tree %s: %w", root, err)
		}
		if !ok || !mode.IsDir() {
			return ID{}, nil
		}
		root = id
	}
	return root, nil
}

// EncodeTree returns the content of a tree with these entries, which are
// sorted in place into the order that git requires.
func EncodeTree(entries []Entry) []byte {
	slices.SortFunc(entries, CompareEntries)
	size := 0
	for _, e := range entries {
		size += 7 + len(e.Name) + 1 + len(e.ID)
	}
	data := make([]byte, 0, size)
	for _, e := range entries {
		data = strconv.AppendUint(data, uint64(e.Mode), 8)
		data = append(data, ' ')
		data = append(data, e.Name...)
		data = append(data, 0)
		data = append(data, e.ID[:]...)
	}
	return data
}

// CompareEntries orders entries as git does: by name, where the name of a tree
// counts as if it ended in a slash.
func CompareEntries(a, b Entry) int {
	n := min(len(a.Name), len(b.Name))
	if c := cmp.Compare(a.Name[:n], b.Name[:n]); c != 0 {
		return c
	}
	return cmp.Compare(nameByte(a, n), nameByte(b, n))
}

func nameByte(e Entry, i int) byte {
	if i < len(e.Name) {
		return e.Name[i]
	}
	if e.Mode.IsDir() && i == len(e.Name) {
		return '/'
	}
	return 0
}

// CheckTree reports, as a [FormatError], what is wrong with the content of a
// tree that can be read and still must not be published. Git refuses to check
// such trees out, or makes something else of them than others do: names that
// are no names of files, entries out of order, the same name twice, and modes
// that are none of the five kinds.
//
// Old repositories have files with modes such as 0100664, and modes with a zero
// in front. Git reads them, and they pass.
func CheckTree(data []byte) error {
	entries, err := ParseTree(data)
	if err != nil {
		return err
	}
	return CheckEntries(entries)
}

// CheckEntries is [CheckTree] of a tree that was parsed.
func CheckEntries(entries []Entry) error {
	for i, e := range entries {
		switch {
		case e.Name == "." || e.Name == ".." || strings.Contains(e.Name, "/") || strings.EqualFold(e.Name, ".git"):
			return malformed(TreeType, "an entry is called %q", shorten(e.Name))
		case !e.Mode.IsDir() && !e.Mode.IsRegular() && !e.Mode.IsSymlink() && !e.Mode.IsSubmodule():
			return malformed(TreeType, "%q has mode %o", shorten(e.Name), e.Mode)
		case i > 0 && CompareEntries(entries[i-1], e) > 0:
			return malformed(TreeType, "%q does not stand where it belongs", shorten(e.Name))
		}
		twice := i > 0 && entries[i-1].Name == e.Name
		if e.Mode.IsDir() && !twice {
			// Other names can stand between a file and a tree of the same name.
			_, twice = slices.BinarySearchFunc(entries[:i], Entry{Name: e.Name}, CompareEntries)
		}
		if twice {
			return malformed(TreeType, "%q is there twice", shorten(e.Name))
		}
	}
	return nil
}

// shorten cuts what an error quotes: a name can be as long as its object.
func shorten(name string) string {
	const most = 100
	if len(name) > most {
		return name[:most] + "..."
	}
	return name
}
