// Package cmd is the publisher's command line, one file for each verb.
//
// What a command reports goes to stdout, as a table, JSON or YAML; everything
// else, which is logs, progress and errors, goes to stderr. The exit code is 0
// where all went well, and 1 otherwise.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"k8s.io/publisher/botconfig"
	"k8s.io/publisher/remote"
	"k8s.io/publisher/rules"
	"k8s.io/publisher/session"
)

// Main runs the command line and returns the process's exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer runtime.KeepAlive(tuneMemory())
	return run(ctx, stop, args, os.Stdout, os.Stderr)
}

// run is Main with its surroundings as arguments. Once ctx is done, stop gives
// signals back their usual effect.
func run(ctx context.Context, stop func(), args []string, stdout, stderr io.Writer) int {
	f := newFlags(stdout, stderr)
	told := make(chan struct{})
	unneeded := context.AfterFunc(ctx, func() {
		defer close(told)
		stop()
		fmt.Fprintln(f.screen, "publisher: stopping at the next safe point; interrupt again to end at once")
	})
	root := newRoot(f)
	root.SetArgs(args)
	err := errors.Join(root.ExecuteContext(ctx), f.close())
	if !unneeded() {
		<-told // before the last word
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(f.screen, "publisher:", f.message(ctx, err))
	return 1
}

// flags are those that several verbs share, and what they lead to.
type flags struct {
	rules, source, mirrors string
	remote, credentials    string
	configFile             string
	config                 *botconfig.Config // nil where there is none
	remotes                *remote.Client    // nil is as credentials says
	format                 choice
	logLevel               slog.LevelVar
	logFormat              choice
	profileTo              string
	build                  build

	stdout  io.Writer
	screen  *screen // stderr
	log     *slog.Logger
	profile *profile
}

func newFlags(stdout, stderr io.Writer) *flags {
	f := &flags{
		stdout: stdout, log: slog.New(slog.DiscardHandler),
		format:    choice{value: "table", from: []string{"table", "json", "yaml"}},
		logFormat: choice{value: "text", from: []string{"text", "json"}},
	}
	f.screen = newScreen(stderr, f.redact)
	return f
}

func newRoot(f *flags) *cobra.Command {
	root := &cobra.Command{
		Use:   "publisher",
		Short: "Publish the modules of a monorepo to mirror repositories",
		Long: `Publish the modules of a monorepo to mirror repositories.

Each rule in rules.yaml names a directory of the source and the mirror that its
history goes to: commit by commit, with go.mod pinned to the siblings' versions
and with tags that "go get" knows. What is published is a pure function of the
source and the rules, so a run can be repeated, interrupted and verified.

In help and messages these words mean:

  source          the monorepo: a repository on this machine, or one at a URL
  destination     the name of a rule, and of the mirror that it publishes to
  mirror          the repository with a directory's history and tags
  branch          a branch of a mirror; the one it is made from is a source branch
  mainline        the first-parent history of a source branch
  trailer         the line in a mirror commit's message that names the source
                  commit it was made from, such as "Kubernetes-commit: 2b0d7c6a..."
  pseudo-version  what Go calls a commit that has no version tag, such as
                  v0.0.0-20260102150405-2b0d7c6a1f00`,
		Example: `  publisher validate
  publisher plan
  publisher sync --source . --mirrors /srv/mirrors
  publisher map v1.36.0
  publisher verify`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(f.stdout)
	root.SetErr(f.screen)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	p := root.PersistentFlags()
	p.StringVar(&f.rules, "rules", "rules.yaml", "the rules: a `file`, or a URL of HTTP")
	p.TextVar(&f.logLevel, "log-level", &f.logLevel, "how much to log to stderr, from this `level` on: debug, info, warn or error")
	p.Var(&f.logFormat, "log-format", "how to log to stderr: "+f.logFormat.choices())
	p.StringVar(&f.profileTo, "cpu-profile", "", "write a profile of the run to this `file`")
	_ = p.MarkHidden("cpu-profile")
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) (err error) {
		f.log = f.logger()
		f.screen.log = f.log
		if f.profile, err = startProfile(f.profileTo); err != nil {
			return err
		}
		return f.configure(c)
	}
	root.AddCommand(newValidate(f), newPlan(f), newSync(f), newRun(f), newStatus(f), newVerify(f), newMap(f), newSite(f), newServe(f), newSumdb(f), newCarry(f), newVersion(f), newMan(), newDocs(f), newRules(f))
	return root
}

// version is what the go command recorded when it built the publisher: a
// release, or the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && !strings.Contains(text, short(s.Value)):
			text += " " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true" && !strings.Contains(text, "dirty"):
			text += " (modified)"
		}
	}
	return text + " " + info.GoVersion
}

func (f *flags) close() error {
	f.screen.end()
	return f.profile.stop()
}

func (f *flags) logger() *slog.Logger { return f.loggerTo(f.screen) }

func (f *flags) loggerTo(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: &f.logLevel}
	if f.logFormat.value == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// addRepositories adds the flags of commands that read source and mirrors.
func (f *flags) addRepositories(c *cobra.Command) {
	c.Flags().StringVar(&f.source, "source", ".", "the monorepo: a `path`, or a URL to fetch from")
	c.Flags().StringVar(&f.mirrors, "mirrors", ".", "the `folder` of the mirrors; that of destination D is D/mirror.git in it")
	c.Flags().StringVar(&f.remote, "remote", "", "a `template` for the URLs of the remotes, in the place of those in the rules, such as ssh://git@host/{{.Destination}}; \"none\" does without any")
	f.addConfig(c)
	c.Flags().StringVar(&f.credentials, "credentials", "", "a `file` that says with which tokens and keys remotes are reached (default the user's configuration of git)")
}

// addConfig adds the flag for those who come from another bot.
func (f *flags) addConfig(c *cobra.Command) {
	c.Flags().StringVar(&f.configFile, "config", "", "a configuration `file` of kubernetes/publishing-bot, for what no flag says")
}

// options are those of a session as the flags say.
func (f *flags) options() session.Options {
	return session.Options{
		Rules: f.rules, Source: f.source, Mirrors: f.mirrors, Remote: f.remote, Credentials: f.credentials, Remotes: f.remotes,
		Log: f.log, Progress: f.screen.progress, Build: f.build.config(), Consumers: rules.Consumers(f.build.consumers.value),
		SigningKey: f.build.signing, Version: version(),
	}
}

// message is what the user gets to read about an error.
func (f *flags) message(ctx context.Context, err error) string {
	text := err.Error()
	var missing *fs.PathError
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted; run the command again to go on"
	case ctx.Err() != nil:
		text = "interrupted: " + text
	case errors.As(err, &missing) && missing.Path == f.rules && errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("there is no rules file %s: name it with --rules, or run the publisher in the folder that has it", f.rules)
	}
	return indent(strings.TrimSpace(text))
}

// redact takes the password of the source's URL out of a text.
func (f *flags) redact(text string) string {
	if u, err := url.Parse(f.source); err == nil {
		if u.User == nil {
			return text
		}
		return strings.ReplaceAll(text, f.source, u.Redacted())
	}
	scheme, rest, ok := strings.Cut(f.source, "://")
	at := strings.LastIndex(rest, "@")
	if !ok || at < 0 {
		return text
	}
	return strings.ReplaceAll(text, f.source, scheme+"://xxxxx"+rest[at:])
}
