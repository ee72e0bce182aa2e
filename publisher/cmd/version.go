package cmd

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildInfo is what the go command recorded when it built the publisher.
type buildInfo struct {
	// Version is that of the module: a release, or the pseudo-version of the commit.
	Version string `json:"version"`
	// Sum is the module's hash as in go.sum; empty where it was not built from a module
	// proxy or a mirror.
	Sum string `json:"sum,omitempty"`
	// Commit and Time are those of the checkout that it was built in; empty for others.
	Commit string `json:"commit,omitempty"`
	Time   string `json:"time,omitempty"`
	// Modified tells that the checkout had changes.
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuildInfo() buildInfo {
	b := buildInfo{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version, b.Sum, b.Go = cmp.Or(info.Main.Version, b.Version), info.Main.Sum, cmp.Or(info.GoVersion, b.Go)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func newVersion(f *flags) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Tell what this publisher was built from",
		Long: `Tell what this publisher was built from.

Which files a source and its rules are published as does not depend on it: two
versions that differ in that would be told of in the changelog, as mirrors that one
of them filled could not be continued by the other.`,
		Example: `  publisher version
  publisher version -o json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := readBuildInfo()
			return f.print(b, func(w io.Writer) error {
				rows := [][2]string{{"version", b.Version}, {"hash", b.Sum}, {"commit", b.Commit}, {"time", b.Time}, {"go", b.Go}, {"platform", b.Platform}}
				if b.Modified {
					rows[2][1] += ", modified"
				}
				for _, row := range rows {
					if row[1] == "" {
						continue
					}
					if _, err := fmt.Fprintf(w, "%-10s%s\n", row[0], row[1]); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	f.addOutput(c)
	return c
}
