package verify

import (
	"errors"
	"fmt"
	"slices"

	"k8s.io/publisher/object"
	"k8s.io/publisher/provenance"
)

// provenances checks what testifies to tags, and, where keys are given, who did.
func (c *checker) provenances() error {
	testified := make(map[string]bool)
	for _, ref := range c.h.refs {
		name, ok := provenance.TagOf(ref)
		if !ok {
			continue
		}
		testified[name] = true
		wrong, err := c.provenance(name, c.h.targets[ref])
		if err != nil {
			return err
		}
		if wrong != "" {
			c.mismatch(Mismatch{Kind: WrongProvenance, Ref: ref, Detail: wrong})
		} else {
			c.out.Provenances++
		}
	}
	without := 0
	for ref, t := range c.byName {
		if _, there := c.h.targets[ref]; there && !t.adopted && !testified[ref[len("refs/tags/"):]] {
			without++
		}
	}
	if n := c.out.Provenances; n > 0 {
		looked := "signed by a trusted key"
		if c.run.in.Trusted == nil {
			looked = "and by whom it is signed was not looked at"
		}
		c.note("the provenance of %s states what is so, %s", count(n, "tag"), looked)
	}
	if without > 0 && c.run.in.Trusted != nil {
		c.note("nobody testifies to %s", count(without, "tag"))
	}
	return nil
}

// provenance returns what is wrong with what testifies to a tag; empty if nothing is.
func (c *checker) provenance(tag string, at target) (wrong string, err error) {
	want, have := c.byName["refs/tags/"+tag], c.h.targets["refs/tags/"+tag]
	switch {
	case have.t == 0:
		return fmt.Sprintf("it testifies to tag %s, which is not there", tag), nil
	case want.Tag == nil || want.adopted || have.id != want.id:
		return fmt.Sprintf("it testifies to tag %s, which is not what the source makes", tag), nil
	case at.t != object.CommitType:
		return fmt.Sprintf("it names %s, which is no commit", c.named(at)), nil
	}
	facts, target, err := provenance.Of(c.reader.Reader, c.reader.hasher, c.out.Name, want.Tag, slices.Index(want.Names, tag))
	if err == nil {
		err = provenance.Check(c.run.ctx, c.reader.Reader, at.id, facts, target, c.run.in.Trusted)
	}
	invalid, ok := errors.AsType[*provenance.InvalidError](err)
	switch {
	case ok:
		return invalid.Reason, nil
	case err != nil && !ofMachine(err):
		return err.Error(), nil
	}
	return "", err
}
