package pages

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/google/renameio/v2"

	"k8s.io/publisher/object"
)

// madeName is the file that notes what pages were made from. It only saves time: without
// it, all pages are made, and those that come out the same stay as they are.
const madeName = ".pages.json"

// made is what pages were made from. A site has thousands of pages, and a run has news for
// some of them: so those of which there are many are made only where what they show has
// changed.
type made struct {
	// Site is what all pages depend on.
	Site string `json:"site"`
	// Pages are digests of what each of these pages shows, by their files.
	Pages map[string]string `json:"pages"`
}

// readMade reads what was noted: nothing where it is about other settings.
func readMade(dir, site string) (*made, error) {
	data, err := os.ReadFile(filepath.Join(dir, madeName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	m := new(made)
	if err != nil || json.Unmarshal(data, m) != nil || m.Site != site {
		m = &made{Site: site}
	}
	if m.Pages == nil {
		m.Pages = make(map[string]string)
	}
	return m, nil
}

func (m *made) write(dir string) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, madeName), data, 0o644)
}

// digest names what a page shows. Hashes of commits stand for all that commits say.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

// text adds texts, so that no others yield the same.
func (d digest) text(all ...string) {
	var length [8]byte
	for _, t := range all {
		binary.LittleEndian.PutUint64(length[:], uint64(len(t)))
		d.Write(length[:])
		d.Write([]byte(t))
	}
}

func (d digest) number(n int) { d.text(fmt.Sprint(n)) }

func (d digest) id(id object.ID) { d.Write(id[:]) }

func (d digest) String() string { return hex.EncodeToString(d.Sum(nil)[:16]) }

// common is the digest of what all pages depend on: the settings, and the program.
func (s *site) common() (string, error) {
	program, err := Program()
	if err != nil {
		return "", err
	}
	d := newDigest()
	d.text(program, s.Rules.Digest(), s.BaseURL, s.SumDB, fmt.Sprint(s.Docs != nil, s.Hash != nil, s.std != nil))
	return d.String(), nil
}

// Program is a digest of the program that runs, which has the templates: another one may
// make other pages of the same.
func Program() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	file, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	d := newDigest()
	d.text(fmt.Sprint(file.Size(), file.ModTime().UnixNano()))
	if info, ok := debug.ReadBuildInfo(); ok {
		d.text(info.String())
	}
	return d.String(), nil
}
