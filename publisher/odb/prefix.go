package odb

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"k8s.io/publisher/object"
)

// WithPrefix returns the names of all objects that begin with some hexadecimal
// digits, in their order. Other text than that is an error.
func (s *Store) WithPrefix(digits string) ([]object.ID, error) {
	if len(digits) > 2*hashSize {
		return nil, fmt.Errorf("object name %q: it has more than %d digits", digits, 2*hashSize)
	}
	pad := func(digit string) (object.ID, error) {
		return object.ParseID([]byte(digits + strings.Repeat(digit, 2*hashSize-len(digits))))
	}
	low, err := pad("0")
	if err != nil {
		return nil, err
	}
	high, err := pad("f")
	if err != nil {
		return nil, err
	}
	// A repack may have moved loose objects into packs that are new.
	if err := s.loadPacks(); err != nil {
		return nil, err
	}
	found, err := s.looseBetween(low, high)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	for _, p := range s.packs {
		found = append(found, p.between(low, high)...)
	}
	s.mu.RUnlock()
	slices.SortFunc(found, func(a, b object.ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(found), nil
}

// between returns the names in the pack's index from low to high.
func (p *pack) between(low, high object.ID) []object.ID {
	name := func(i int) object.ID { return object.ID(p.names[i*hashSize : (i+1)*hashSize]) }
	from := sort.Search(p.count, func(i int) bool { id := name(i); return bytes.Compare(id[:], low[:]) >= 0 })
	var found []object.ID
	for i := from; i < p.count; i++ {
		id := name(i)
		if bytes.Compare(id[:], high[:]) > 0 {
			break
		}
		found = append(found, id)
	}
	return found
}

// looseBetween returns the names of loose objects from low to high.
func (s *Store) looseBetween(low, high object.ID) ([]object.ID, error) {
	var found []object.ID
	for _, dir := range s.dirs {
		for first := int(low[0]); first <= int(high[0]); first++ {
			start := fmt.Sprintf("%02x", first)
			entries, err := os.ReadDir(filepath.Join(dir, start))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("list loose objects: %w", err)
			}
			for _, e := range entries {
				id, err := object.ParseID([]byte(start + e.Name()))
				if err != nil { // A file of another kind, such as one that git is writing.
					continue
				}
				if bytes.Compare(id[:], low[:]) >= 0 && bytes.Compare(id[:], high[:]) <= 0 {
					found = append(found, id)
				}
			}
		}
	}
	return found, nil
}
