package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"k8s.io/publisher/provenance"
	"k8s.io/publisher/session"
	"k8s.io/publisher/site"
	"k8s.io/publisher/verify"
)

// ofTheRules is --remote without a value.
const ofTheRules = "of the rules"

func newVerify(f *flags) *cobra.Command {
	keys := ""
	var ofSite provenSite
	c := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the mirrors are what source and rules make",
		Long: `Prove that the mirrors are what source and rules make.

Everything is computed again, from the source alone, and nothing is taken from
what a sync left behind but the mirrors. Git hashes all of their objects; every
commit, branch and tag must be the one that was computed; every tag's files are
compared with the source's directory; and what go.sum files say about siblings
is hashed again from the siblings' mirrors. Nor may a mirror have a HEAD, settings,
grafts, hooks or other files by which git would show or do something else.

A mirror may be behind its source: that is a note. Anything else that differs is
a mismatch, and the exit code is 1 where there is any. Of many mismatches of a kind
the first are listed and the others counted; JSON and YAML are complete.

With --remote, what is proven is what the remotes have: all of them are fetched anew,
into a folder that is removed again, and the mirrors on this machine do not count.

Where a mirror was taken over from someone else is said by the rules, into which
"publisher rules take-over" writes it. Of what was there before, little can be
proven: it is counted as foreign.

Where tags have a provenance, as "publisher sync --signing-key" makes it, what it
states is computed again, too. With --trusted-keys, each must be signed by one of
these keys, and how many tags have none is noted.

With --site, what "publisher site" has written is proven, too: that consumers get of
each version what the mirrors have, that the checksum database says so and is whole,
and that it has only grown from each head that it ever signed.`,
		Example: `  publisher verify
  publisher verify --trusted-keys allowed_signers
  publisher verify --source ~/src/monorepo --mirrors /srv/mirrors
  publisher verify --remote
  publisher verify --site /srv/site
  publisher verify --remote='ssh://git@example.org/{{.Destination}}' -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			var trusted *provenance.Trusted
			if keys != "" {
				if trusted, err = provenance.LoadTrusted(keys); err != nil {
					return err
				}
			}
			limitMemory(736 << 20) // What git needs beside it comes on top.
			fetch := c.Flags().Changed("remote")
			o := f.options()
			if o.Remote == ofTheRules {
				o.Remote = ""
			}
			o.Forget = true
			s, err := session.Open(c.Context(), o)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			in := verify.Input{Source: s.Repo, Rules: s.RuleSet, Mirrors: f.mirrors, Progress: f.screen.progress, Trusted: trusted}
			if fetch {
				in.Fetched = true
				if in.Mirrors, err = s.FetchRemotes(c.Context()); err != nil {
					return err
				}
			}
			r, err := verify.Run(c.Context(), in)
			if err != nil {
				return err
			}
			proof, err := ofSite.verify(c.Context(), f, in)
			if err != nil {
				return err
			}
			all := struct {
				*verify.Report
				Site *site.Proof `json:"site,omitempty"`
			}{r, proof}
			if err := f.print(all, verifyTable(r, proof, f.width())); err != nil {
				return err
			}
			var failures []error
			if n := r.Mismatches(); n > 0 {
				failures = append(failures, fmt.Errorf("the mirrors are not what source and rules make: %s", count(n, "mismatch")))
			}
			if proof != nil && len(proof.Problems) > 0 {
				failures = append(failures, fmt.Errorf("the site is not what the mirrors make: %s", count(len(proof.Problems), "mismatch")))
			}
			return errors.Join(failures...)
		},
	}
	f.addRepositories(c)
	c.Flags().Lookup("remote").NoOptDefVal = ofTheRules
	c.Flags().Lookup("remote").Usage = "prove what the remotes have; with =`template`, those that it leads to in the place of those in the rules"
	f.addOutput(c)
	ofSite.add(c)
	c.Flags().StringVar(&keys, "trusted-keys", "", "a `file` with public keys, an allowed signers file of SSH or keys of OpenPGP in armor: whatever testifies to a tag must be signed by one of them")
	return c
}

// provenSite says which site is proven.
type provenSite struct{ dir, key, head string }

func (s *provenSite) add(c *cobra.Command) {
	c.Flags().StringVar(&s.dir, "site", "", "prove the site in this `folder`, too")
	c.Flags().StringVar(&s.key, "site-key", "", "the verifier `key` that consumers have (default the one in the site)")
	c.Flags().StringVar(&s.head, "site-head", "", "a `file` with a signed head of the checksum database, as SITE/sumdb/latest was once: the database must have grown from it")
}

// verify proves the site, if there is one to be proven.
func (s *provenSite) verify(ctx context.Context, f *flags, in verify.Input) (*site.Proof, error) {
	if s.dir == "" {
		return nil, nil
	}
	o := site.VerifyOptions{Key: s.key, Options: site.Options{Dir: s.dir, Rules: in.Rules, Mirrors: in.Mirrors, Log: f.log, Progress: f.screen.progress}}
	if s.head != "" {
		head, err := os.ReadFile(s.head)
		if err != nil {
			return nil, err
		}
		o.Heads = append(o.Heads, head)
	}
	return site.Verify(ctx, o)
}
