package odb

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"
)

// FormatError reports a repository that is kept in a form that is not read
// here, though git may well read it.
type FormatError struct {
	// What it is, and what to do about it.
	What, Remedy string
}

func (e *FormatError) Error() string { return "it is " + e.What + ": " + e.Remedy }

// CheckFormat returns a [FormatError] for a git directory, the common one where
// there are linked work trees, that says of itself that it is of a form that is
// not read here: with SHA-256, with reftables, with objects that only a remote
// has, or of a version or with an extension that nobody knew of yet
// (gitrepository-layout(5) and git's technical/repository-version).
func CheckFormat(gitDir string) error {
	data, err := os.ReadFile(filepath.Join(gitDir, "config"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The parser knows less than git does, such as nothing but UTF-8. Git writes
	// what matters here at the top, so what comes before the fault will do.
	c := config.New()
	_ = config.NewDecoder(bytes.NewReader(data)).Decode(c)
	for _, option := range section(c, "extensions").Options {
		value := strings.ToLower(option.Value)
		switch strings.ToLower(option.Key) {
		case "objectformat":
			if value != "sha1" {
				return &FormatError{"a " + value + " repository", "only sha1 is read; carry it over with git fast-export and git fast-import"}
			}
		case "refstorage":
			if value != "files" {
				return &FormatError{"a repository that keeps its refs as " + value, "run git refs migrate --ref-format=files there"}
			}
		case "partialclone":
			return partial("remote " + option.Value)
		case "noop", "noop-v1", "preciousobjects", "worktreeconfig", "relativeworktrees", "compatobjectformat":
		default:
			if version(c) != "0" { // Where it is 0, git takes it for a word without meaning.
				return &FormatError{"a repository with the extension " + option.Key, "only git knows how to read that; clone it without"}
			}
		}
	}
	if v := version(c); v != "0" && v != "1" {
		return &FormatError{"a repository of format version " + v, "only versions 0 and 1 are read; clone it without what needs another"}
	}
	for _, remote := range section(c, "remote").Subsections {
		switch strings.ToLower(remote.Option("promisor")) {
		case "", "false", "no", "off", "0":
		default:
			return partial("remote " + remote.Name)
		}
	}
	packs, err := filepath.Glob(filepath.Join(escapeGlob(gitDir), "objects", "pack", "*.promisor"))
	if err == nil && len(packs) > 0 {
		err = partial(filepath.Base(packs[0]))
	}
	return err
}

// section finds a section in any case of its letters; none has no options.
func section(c *config.Config, name string) *config.Section {
	all := new(config.Section)
	for _, s := range c.Sections {
		if strings.EqualFold(s.Name, name) {
			all.Options = append(all.Options, s.Options...)
			all.Subsections = append(all.Subsections, s.Subsections...)
		}
	}
	return all
}

func version(c *config.Config) string {
	if v := section(c, "core").Option("repositoryformatversion"); v != "" {
		return v
	}
	return "0"
}

func partial(promised string) error {
	return &FormatError{"a partial clone, which lacks objects that " + promised + " promises", "clone it anew without --filter"}
}
