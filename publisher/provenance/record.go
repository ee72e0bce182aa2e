package provenance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"k8s.io/publisher/mirror"
	"k8s.io/publisher/object"
)

// Ref is the ref of a tag's provenance.
func Ref(tag string) string { return mirror.ProvenanceRefs + tag }

// TagOf returns the tag of which a ref is the provenance; not ok where it is none.
func TagOf(ref string) (tag string, ok bool) { return strings.CutPrefix(ref, mirror.ProvenanceRefs) }

// fileName is the file's in the commit's tree.
const fileName = "provenance.json"

// identity is the same in all mirrors, so that a commit is a function of its envelope
// and its date, which is that of the commit that the tag names.
const identity = "Mirror Publisher <publisher@localhost> "

// Record signs what is stated, and stores it: it returns the commit for the ref. Target
// is the commit that the tag names.
func (s *Signer) Record(ctx context.Context, f Facts, target *object.Commit, put func(object.Type, []byte) (object.ID, error)) (object.ID, error) {
	text, err := f.Statement()
	if err != nil {
		return object.ID{}, err
	}
	envelope, err := s.sign(ctx, text)
	if err != nil {
		return object.ID{}, fmt.Errorf("sign the provenance of tag %s of %s: %w", f.Tag, f.Destination, err)
	}
	return store(envelope, f.Tag, target, put)
}

// store stores an envelope in a commit.
func store(envelope []byte, tag string, target *object.Commit, put func(object.Type, []byte) (object.ID, error)) (object.ID, error) {
	blob, err := put(object.BlobType, envelope)
	if err != nil {
		return object.ID{}, err
	}
	tree, err := put(object.TreeType, object.EncodeTree([]object.Entry{{Mode: object.ModeRegular, Name: fileName, ID: blob}}))
	if err != nil {
		return object.ID{}, err
	}
	date, err := target.CommitTime()
	if err != nil {
		return object.ID{}, err
	}
	who := fmt.Appendf(nil, "%s%d +0000", identity, date.Unix())
	c := &object.Commit{Tree: tree, Author: who, Committer: who, Message: []byte("Provenance of " + tag + "\n")}
	return put(object.CommitType, c.Encode())
}

// Objects gives the content of git objects.
type Objects interface {
	Commit(id object.ID) ([]byte, error)
	Tree(id object.ID) ([]byte, error)
	Blob(id object.ID) ([]byte, error)
}

// InvalidError says what is wrong with a provenance.
type InvalidError struct{ Reason string }

func (e *InvalidError) Error() string { return e.Reason }

func invalid(format string, args ...any) error { return &InvalidError{fmt.Sprintf(format, args...)} }

// mostEnvelope bounds what is read of an envelope, in bytes.
const mostEnvelope = 1 << 20

// Check checks a provenance commit against what is so. Facts are without claims, and
// target is the commit that the tag names. Trusted may be nil: then it is not looked at
// who signed. The error is an [*InvalidError] where the provenance is to blame.
func Check(ctx context.Context, objects Objects, commit object.ID, f Facts, target *object.Commit, trusted *Trusted) error {
	data, err := objects.Commit(commit)
	if err != nil {
		return err
	}
	c, err := object.ParseCommit(data)
	if err != nil {
		return invalid("commit %s: %v", commit, err)
	}
	tree, err := objects.Tree(c.Tree)
	if err != nil {
		return err
	}
	mode, id, ok, err := object.FindEntry(tree, fileName)
	if err != nil || !ok || !mode.IsRegular() {
		return invalid("commit %s has no file %s", commit, fileName)
	}
	envelope, err := objects.Blob(id)
	if err != nil {
		return err
	}
	// Nothing else may be there, as verify looks at nothing else.
	want, err := store(envelope, f.Tag, target, func(t object.Type, data []byte) (object.ID, error) { return object.Hash(t, data), nil })
	if err != nil {
		return err
	}
	if want != commit {
		return invalid("commit %s is not what the provenance in it is stored in, which would be %s", commit, want)
	}
	if len(envelope) > mostEnvelope {
		return invalid("%s of %s is too large", fileName, commit)
	}
	return checkEnvelope(ctx, envelope, f, trusted)
}

func checkEnvelope(ctx context.Context, data []byte, f Facts, trusted *Trusted) error {
	var e dsse.Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return invalid("its envelope cannot be read: %v", err)
	}
	payload, err := e.DecodeB64Payload()
	if err != nil || e.PayloadType != PayloadType {
		return invalid("its envelope has no in-toto statement")
	}
	if f.Claims, err = claims(payload); err != nil {
		return invalid("%v", err)
	}
	want, err := f.Statement()
	if err != nil {
		return err
	}
	if !bytes.Equal(payload, want) {
		return invalid("it states\n\t%s\nand should state\n\t%s", payload, want)
	}
	if trusted == nil {
		return nil
	}
	if err := trusted.verify(ctx, &e); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var signers []string
		for _, s := range e.Signatures {
			signers = append(signers, fmt.Sprintf("%q", s.KeyID))
		}
		return invalid("it has no signature of a key that is trusted; there are those of %s", strings.Join(signers, ", "))
	}
	return nil
}

// sign returns the envelope of a statement.
func (s *Signer) sign(ctx context.Context, text []byte) ([]byte, error) {
	signer, err := dsse.NewEnvelopeSigner(s.key)
	if err != nil {
		return nil, err
	}
	e, err := signer.SignPayload(ctx, PayloadType, text)
	if err != nil {
		return nil, err
	}
	if len(e.Signatures) != 1 {
		return nil, errors.New("it has no signature")
	}
	data, err := json.MarshalIndent(e, "", "  ")
	return append(data, '\n'), err
}
