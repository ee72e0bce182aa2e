// Package provenance says of a mirror's tag where it comes from, in a statement that
// is signed and lies beside the tag.
//
// # Where it lies
//
// The ref refs/provenance/TAG of the mirror names a commit without parents, whose tree
// has one file, provenance.json. It is a DSSE envelope
// (https://github.com/secure-systems-lab/dsse) around an in-toto statement
// (https://in-toto.io/Statement/v1) with a predicate of SLSA provenance
// (https://slsa.dev/provenance/v1).
//
//	git fetch origin refs/provenance/v0.36.2
//	git show FETCH_HEAD:provenance.json
//
// A ref for each tag means that a tag and its provenance arrive by one push or not at
// all, that a statement never changes once it is there, and that whoever wants one
// fetches three small objects. Clones and fetches do not get these refs unless they ask.
//
// # What it says, and what a signature does not change
//
// The subjects are the tag, with its object and its commit, and where the tag is a
// version, the module with its hash, that of go.sum in hexadecimal. The source's tag and
// commit are what it was made from. All of this is a function of source and rules, and
// verify computes it again. The digest of the rules file and the version of the
// publisher are who signs' word.
//
// Publication stays a pure function: tags and commits are the same whoever publishes
// them, with a signature or without, and the provenance is not part of them: it testifies
// to them. Two publishers with different keys make the same mirror with different
// testimonies; whoever pushes a tag first has testified to it, and a testimony that is
// there stays, as a tag does.
//
// # Signatures
//
// The signature of an envelope is over its pre-authentication encoding (PAE):
//
//   - by an SSH key, an SSH signature (PROTOCOL.sshsig of OpenSSH) in armor, with the
//     namespace [Namespace] and SHA-512. The key ID is the key's SHA-256 fingerprint, as
//     ssh-keygen -l prints it.
//   - by an OpenPGP key, a detached signature in armor. The key ID is the fingerprint of
//     the primary key.
//
// So ssh-keygen -Y verify and gpg --verify can check them, once the encoding is at hand.
package provenance

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/mod/module"

	"k8s.io/publisher/object"
)

// Facts are what a statement says about a tag.
type Facts struct {
	// Destination is the mirror's name.
	Destination string
	// Tag is the tag's name, Object its tag object, and Commit what that names.
	Tag            string
	Object, Commit object.ID
	// SourceTag is the source's tag, SourceObject its tag object, and SourceCommit what
	// that names.
	SourceTag                  string
	SourceObject, SourceCommit object.ID
	// Module is what the tag is a version of, and Sum its hash as in go.sum. Both are
	// empty where it is none.
	Module module.Version
	Sum    string
	Claims
}

// Claims are what only who signs can know.
type Claims struct {
	// Rules is the SHA-256 of the rules file, in hexadecimal.
	Rules string
	// Publisher is the version of the publisher.
	Publisher string
}

// PayloadType is that of the envelopes.
const PayloadType = "application/vnd.in-toto+json"

const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://slsa.dev/provenance/v1"
	// buildType names what this package comment says.
	buildType = "https://pkg.go.dev/k8s.io/publisher/provenance#v1"
	builderID = "https://pkg.go.dev/k8s.io/publisher"
)

// The statement's form, of which the specifications say what the fields mean. Fields
// are written in this order, so that equal facts give equal bytes.
type (
	statement struct {
		Type          string     `json:"_type"`
		Subject       []resource `json:"subject"`
		PredicateType string     `json:"predicateType"`
		Predicate     predicate  `json:"predicate"`
	}
	resource struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	}
	predicate struct {
		BuildDefinition definition `json:"buildDefinition"`
		RunDetails      details    `json:"runDetails"`
	}
	definition struct {
		BuildType            string            `json:"buildType"`
		ExternalParameters   map[string]string `json:"externalParameters"`
		ResolvedDependencies []resource        `json:"resolvedDependencies"`
	}
	details struct {
		Builder builder `json:"builder"`
	}
	builder struct {
		ID      string            `json:"id"`
		Version map[string]string `json:"version"`
	}
)

// Statement returns the statement of these facts.
func (f Facts) Statement() ([]byte, error) {
	s := statement{Type: statementType, PredicateType: predicateType}
	s.Subject = []resource{{"refs/tags/" + f.Tag, map[string]string{"gitTag": f.Object.String(), "gitCommit": f.Commit.String()}}}
	if f.Module.Path != "" {
		sum, ok := strings.CutPrefix(f.Sum, "h1:")
		raw, err := base64.StdEncoding.DecodeString(sum)
		if !ok || err != nil {
			return nil, fmt.Errorf("state the provenance of %s: %q is no hash of go.sum", f.Module, f.Sum)
		}
		s.Subject = append(s.Subject, resource{"pkg:golang/" + f.Module.Path + "@" + f.Module.Version, map[string]string{"goModuleH1": hex.EncodeToString(raw)}})
	}
	s.Predicate.BuildDefinition = definition{
		buildType,
		map[string]string{"destination": f.Destination, "sourceTag": f.SourceTag},
		[]resource{
			{"source", map[string]string{"gitTag": f.SourceObject.String(), "gitCommit": f.SourceCommit.String()}},
			{"rules", map[string]string{"sha256": f.Rules}},
		},
	}
	s.Predicate.RunDetails.Builder = builder{builderID, map[string]string{"publisher": f.Publisher}}
	return json.Marshal(s)
}

// claims reads what only who signed can know.
func claims(data []byte) (Claims, error) {
	var s statement
	if err := json.Unmarshal(data, &s); err != nil {
		return Claims{}, fmt.Errorf("the statement cannot be read: %w", err)
	}
	var c Claims
	for _, r := range s.Predicate.BuildDefinition.ResolvedDependencies {
		if r.Name == "rules" {
			c.Rules = r.Digest["sha256"]
		}
	}
	c.Publisher = s.Predicate.RunDetails.Builder.Version["publisher"]
	return c, nil
}
