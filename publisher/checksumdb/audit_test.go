package checksumdb_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mth is the Merkle tree hash of RFC 6962, section 2.1.
func mth(leaves [][32]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := mth(leaves[:k]), mth(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// numbered is the name of a file with a number: of thousands, each with three digits.
func numbered(n int) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	return text
}

// audit checks all files of a database by the formulas of RFC 6962 and the documentation of the
// files. It takes nothing from packages checksumdb, tlog and note, which might err together.
func audit(dir, verifierKey string) error {
	read := func(name string) string {
		data, _ := os.ReadFile(filepath.Join(dir, name))
		return string(data)
	}
	size, root, err := parseHead(read("latest"), verifierKey)
	if err != nil {
		return err
	}
	// The records, and by them the leaves: SHA-256(0x00 ‖ record).
	var texts []string
	var leaves [][32]byte
	for len(leaves) < size {
		name := "tile/8/data/" + numbered(len(leaves)/256)
		if left := size - len(leaves); left < 256 {
			name += fmt.Sprintf(".p/%d", left)
		}
		data := read(name)
		if !strings.HasSuffix(data, "\n\n") {
			return fmt.Errorf("%s is cut off", name)
		}
		for _, text := range strings.Split(strings.TrimSuffix(data, "\n\n"), "\n\n") {
			texts = append(texts, text+"\n")
			leaves = append(leaves, sha256.Sum256([]byte("\x00"+text+"\n")))
		}
	}
	if len(leaves) != size {
		return fmt.Errorf("there are %d records, and not %d", len(leaves), size)
	}
	if mth(leaves) != root {
		return errors.New("the records have another hash than the head")
	}
	// The tiles: those of level l have the hashes of each 256^l leaves.
	for level, span := 0, 1; size/span > 0; level, span = level+1, span*256 {
		for n := 0; n*256 < size/span; n++ {
			name := fmt.Sprintf("tile/8/%d/%s", level, numbered(n))
			width := min(256, size/span-n*256)
			if width < 256 {
				name += fmt.Sprintf(".p/%d", width)
			}
			var want []byte
			for i := range width {
				start := (n*256 + i) * span
				h := mth(leaves[start:][:span])
				want = append(want, h[:]...)
			}
			if read(name) != string(want) {
				return fmt.Errorf("%s does not have the hashes of its records", name)
			}
		}
	}
	// The lookups.
	escape := strings.NewReplacer("G", "!g")
	for id, text := range texts {
		fields := strings.Fields(text)
		data := read("lookup/" + escape.Replace(fields[0]) + "@" + fields[1])
		rest, ok := strings.CutPrefix(data, fmt.Sprintf("%d\n%s\n", id, text))
		if !ok {
			return fmt.Errorf("the lookup of record %d has something else", id)
		}
		n, hash, err := parseHead(rest, verifierKey)
		if err != nil {
			return err
		}
		if n <= id || n > size || mth(leaves[:n]) != hash {
			return fmt.Errorf("the head in the lookup of record %d does not belong to the log", id)
		}
	}
	return nil
}

// parseHead reads a signed head: text, an empty line, and signatures, each with the first
// bytes of the key's hash before it.
func parseHead(note, verifierKey string) (size int, hash [32]byte, err error) {
	text, signatures, ok := strings.Cut(note, "\n\n")
	lines := strings.Split(text, "\n")
	if !ok || len(lines) != 3 || lines[0] != "go.sum database tree" {
		return 0, hash, fmt.Errorf("this is no head: %q", note)
	}
	if size, err = strconv.Atoi(lines[1]); err != nil {
		return 0, hash, err
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || copy(hash[:], root) != 32 {
		return 0, hash, fmt.Errorf("this is no hash: %q", lines[2])
	}
	name, rest, _ := strings.Cut(verifierKey, "+")
	short, encoded, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != 33 || key[0] != 1 {
		return 0, hash, fmt.Errorf("this is no verifier key: %q", verifierKey)
	}
	for line := range strings.Lines(signatures) {
		encoded, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "— "+name+" ")
		signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if ok && err == nil && len(signature) == 68 && hex.EncodeToString(signature[:4]) == short {
			if ed25519.Verify(key[1:], []byte(text+"\n"), signature[4:]) {
				return size, hash, nil
			}
		}
	}
	return 0, hash, errors.New("the head is not signed by the key")
}
