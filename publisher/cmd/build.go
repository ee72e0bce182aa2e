package cmd

import (
	"github.com/spf13/cobra"

	"k8s.io/publisher/builder"
	"k8s.io/publisher/sandbox"
)

// isolations are the values of --isolation.
var isolations = map[string]sandbox.Isolation{
	"where-supported": sandbox.WhereSupported, "required": sandbox.Required, "limits-only": sandbox.LimitsOnly,
}

// build are the flags about what is built and run of a source: smoke tests, and
// consumers of releases.
type build struct {
	cache     string
	isolation choice
	limits    sandbox.Limits
	memory    int64 // in MiB
	hidden    []string
	consumers choice
	signing   string // the file with the key
}

// addBuild adds the flags of commands that build what is in a source.
func (f *flags) addBuild(c *cobra.Command) {
	f.build.isolation = choice{value: "where-supported", from: []string{"where-supported", "required", "limits-only"}}
	f.build.limits = sandbox.Defaults
	f.build.consumers = choice{from: []string{"none", "new", "all"}}
	p := c.Flags()
	p.StringVar(&f.build.signing, "signing-key", "", "a `file` with a private key of SSH or OpenPGP; with it, new tags get a signed provenance beside them, at refs/provenance")
	p.Var(&f.build.consumers, "consumers", "for which new tags to build a consumer first, whatever the rules say: "+f.build.consumers.choices())
	p.StringVar(&f.build.cache, "build-cache", "", "the `folder` that keeps what builds compiled and fetched; .publisher/build in that of the mirrors unless said otherwise")
	p.Var(&f.build.isolation, "isolation", "keep builds apart from network and files: "+f.build.isolation.choices())
	p.DurationVar(&f.build.limits.Time, "limit-time", sandbox.Defaults.Time, "how long a build may take")
	p.Int64Var(&f.build.memory, "limit-memory", sandbox.Defaults.Memory>>20, "how much memory a build may have, in `MiB`")
	p.IntVar(&f.build.limits.Tasks, "limit-tasks", sandbox.Defaults.Tasks, "how many `threads` a build may have")
	p.StringArrayVar(&f.build.hidden, "hide", nil, "a `file` or folder that builds are not to see, such as one with credentials, wherever it is; may be repeated")
}

// config is what the flags say.
func (b *build) config() builder.Config {
	b.limits.Memory = b.memory << 20
	return builder.Config{Cache: b.cache, Limits: b.limits, Isolation: isolations[b.isolation.value], Hidden: b.hidden}
}
