package git

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Init makes a bare repository that borrows the objects of others. dir may exist
// and hold a part of one.
func Init(dir string, objectDirs ...string) error {
	for _, sub := range []string{"objects/pack", "refs/heads", "info"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			return err
		}
	}
	if err := Borrow(filepath.Join(dir, "objects"), objectDirs...); err != nil {
		return err
	}
	// What has a HEAD is whole.
	for _, file := range []struct{ name, text string }{
		{"config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"},
		{"HEAD", "ref: refs/heads/main\n"},
	} {
		if err := os.WriteFile(filepath.Join(dir, file.name), []byte(file.text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// Borrow lets a repository, of which objects is the object directory, have what
// is in other object directories.
func Borrow(objects string, from ...string) error {
	if len(from) == 0 {
		return nil
	}
	var lines strings.Builder
	for _, dir := range from {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		if strings.Contains(dir, "\n") {
			return fmt.Errorf("%q: no repository can borrow from a folder with such a name", dir)
		}
		lines.WriteString(dir + "\n")
	}
	info := filepath.Join(objects, "info")
	if err := os.MkdirAll(info, 0o777); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(info, "alternates"), []byte(lines.String()), 0o666)
}
