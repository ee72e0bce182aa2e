package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"k8s.io/publisher/botconfig"
	"k8s.io/publisher/credential"
	"k8s.io/publisher/remote"
)

// configure takes from a configuration of publishing-bot, if there is one, what no flag
// says, and warns of what has no meaning here.
func (f *flags) configure(c *cobra.Command) error {
	if f.configFile == "" {
		return nil
	}
	config, err := botconfig.Load(f.configFile)
	if err != nil {
		return err
	}
	f.config = config
	for _, w := range config.Warnings {
		f.log.Warn(w, "config", f.configFile)
	}
	flags := c.Flags()
	take := func(flag, value string, to *string) {
		if value != "" && !flags.Changed(flag) {
			*to = value
		}
	}
	take("source", config.Source, &f.source)
	take("remote", config.Remote, &f.remote)
	take("rules", config.Rules, &f.rules)
	if config.TokenFile != "" && !flags.Changed("credentials") {
		set, err := credential.New(credential.Entry{URL: config.Server, TokenFile: config.TokenFile})
		if err != nil {
			return fmt.Errorf("load the configuration %s: %w", f.configFile, err)
		}
		f.remotes = &remote.Client{Credentials: set, Log: f.log}
		f.build.hidden = append(f.build.hidden, config.TokenFile)
	}
	return nil
}

// configureRun takes what is for run alone.
func (f *flags) configureRun(c *cobra.Command, o *runFlags) {
	if f.config == nil {
		return
	}
	if f.config.Interval > 0 && !c.Flags().Changed("interval") {
		o.interval = f.config.Interval
	}
	if f.config.Listen != "" && !c.Flags().Changed("listen") {
		o.listen = f.config.Listen
	}
	if !c.Flags().Changed("dry-run") {
		o.dryRun = f.config.DryRun
	}
	// A dry run has failures of its own, as publishing-bot knows.
	if f.config.Issue != "" && f.config.TokenFile != "" && !o.dryRun && !c.Flags().Changed("github-issue") {
		o.issue = f.config.Issue
		if o.issueToken == "" {
			o.issueToken = f.config.TokenFile
		}
	}
}
