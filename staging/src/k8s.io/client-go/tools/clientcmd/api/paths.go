package api

import (
	"errors"
	"os"
	"path/filepath"
)

// MakeAbs returns path if it is absolute, and otherwise path within base, or
// within the working directory if base is empty.
func MakeAbs(path, base string) (string, error) {
	switch {
	case filepath.IsAbs(path):
		return path, nil
	case base != "":
		return filepath.Join(base, path), nil
	default:
		return filepath.Abs(path)
	}
}

// ResolvePath returns path if it is empty or absolute, and otherwise path
// within base.
func ResolvePath(path string, base string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// FlattenContent reads the file named by *path, which may be relative to
// baseDir, into *contents, and empties *path. An empty path is left alone. It
// is an error to have both a path and contents.
func FlattenContent(path *string, contents *[]byte, baseDir string) error {
	if *path == "" {
		return nil
	}
	if len(*contents) != 0 {
		return errors.New("cannot have values for both path and contents")
	}
	data, err := os.ReadFile(ResolvePath(*path, baseDir))
	if err == nil {
		*path, *contents = "", data
	}
	return err
}
