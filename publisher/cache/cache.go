// Package cache remembers between runs what is expensive to find again: where
// source commits stand in the projections, and the SHA-256 of blobs. All of it
// can be derived from the source and the rules, so a cache only saves time; it
// may be removed whenever no run is at work.
//
// It is a bbolt database. Nearly everything lies in a bucket
// named after the meaning of the rules, and goes when that changes. Commits of
// a projection are numbered in the order in which they were found; a source
// commit has one record with the branches whose mainline it is on, and with its
// number in each projection. The proofs that releases can be consumed lie beside the
// hashes of blobs: they hold under any rules.
//
// Beside it lies a checksum. The database guards its head only: elsewhere it
// would trust a flipped bit, which could get into a go.sum that way, and it
// ends the process where its file is cut short. With the checksum, nothing has to
// wait until the file has reached the disk, either.
package cache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"k8s.io/publisher/modhash"
	"k8s.io/publisher/object"
	"k8s.io/publisher/projection"
	"k8s.io/publisher/source"
)

// Cache is an open cache. It is safe for concurrent use. A nil Cache remembers
// nothing.
type Cache struct {
	file string
	db   *bbolt.DB
	tx   *bbolt.Tx

	mu    sync.Mutex    // of blobs
	blobs *bbolt.Bucket // nil where there is none
	new   modhash.MemorySums

	proofs    *bbolt.Bucket // nil where there is none
	newProofs map[[32]byte]bool
}

var (
	blobsBucket = []byte("blobs 2")
	// proofsBucket has the keys of package consumer's proofs.
	proofsBucket = []byte("proofs 1")
	statePrefix  = "state 2 "
	commitsName  = []byte("commits")
	tagsName     = []byte("tags")
	// branchesName lists the source branches, in the order of their numbers.
	branchesName = []byte("branches")
)

// mapped is for how large a file room is made at once: to make more, the database
// has to copy all that it is about to write.
const mapped = 1 << 30

// Open opens the cache in a file. Readers see it as it was when it was opened.
// A damaged file is removed: it will be filled again.
func Open(file string, readOnly bool) (*Cache, error) {
	if _, err := os.Stat(file); readOnly && errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err := checkSum(file); err != nil {
		if readOnly {
			return nil, fmt.Errorf("open cache: %w", err)
		}
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("remove damaged cache: %w", err)
		}
	}
	c := &Cache{file: file}
	options := &bbolt.Options{Timeout: 2 * time.Second, ReadOnly: readOnly, FreelistType: bbolt.FreelistMapType, NoSync: true, InitialMmapSize: mapped}
	var err error
	if c.db, err = bbolt.Open(file, 0o666, options); err == nil {
		if c.tx, err = c.db.Begin(false); err != nil {
			err = errors.Join(err, c.db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open cache %s: %w", file, err)
	}
	c.blobs, c.proofs = c.tx.Bucket(blobsBucket), c.tx.Bucket(proofsBucket)
	return c, nil
}

// Close closes the cache without writing.
func (c *Cache) Close() error {
	if c == nil {
		return nil
	}
	return errors.Join(c.rollback(), c.db.Close())
}

func (c *Cache) rollback() error {
	if c.tx == nil {
		return nil
	}
	tx := c.tx
	c.tx = nil
	return tx.Rollback()
}

// Get implements modhash.Sums.
func (c *Cache) Get(blob object.ID) (b modhash.Blob, ok bool) {
	if b, ok = c.new.Get(blob); ok || c.blobs == nil {
		return b, ok
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A sum and a size.
	if v := c.blobs.Get(blob[:]); len(v) == len(b.Sum)+8 {
		return modhash.Blob{Sum: [32]byte(v), Size: int64(binary.BigEndian.Uint64(v[len(b.Sum):]))}, true
	}
	return b, false
}

// Put implements modhash.Sums.
func (c *Cache) Put(blob object.ID, b modhash.Blob) {
	c.new.Put(blob, b)
}

// Proven implements consumer.Memory.
func (c *Cache) Proven(key [32]byte) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newProofs[key] || c.proofs != nil && c.proofs.Get(key[:]) != nil
}

// AddProof implements consumer.Memory.
func (c *Cache) AddProof(key [32]byte) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.newProofs == nil {
		c.newProofs = make(map[[32]byte]bool)
	}
	c.newProofs[key] = true
}

// State is what a run found out, all of which is in the mirrors now.
type State struct {
	// Key names the meaning of the rules.
	Key   string
	Graph *source.Graph
	// Incremental tells that it was computed on top of what was remembered.
	Incremental bool
	// Projections are in the order of their numbers.
	Projections []*projection.Projection
	// Mainlines marks, for each source branch, the nodes on its mainline that are new.
	Mainlines map[string][]bool
	Tags      []Tag
}

// Tag is what a source tag yielded in a destination.
type Tag struct {
	Destination string
	// Name is the source tag's, and Object its tag object.
	Name   string
	Object object.ID
	TagRecord
}

// TagRecord says where a mirror's tags stand.
type TagRecord struct {
	// Objects are the mirror's tags, in the order of the tag rules.
	Objects []object.ID
	// Target is the commit that they name, and Tree its tree. Where it is one of
	// its own, it stands on Parent; else it is Parent.
	Target, Tree, Parent object.ID
}

// Memory returns what is remembered for rules of this meaning; nil where that
// is nothing.
func (c *Cache) Memory(key string) *Memory {
	if c == nil {
		return nil
	}
	state := c.tx.Bucket([]byte(statePrefix + key))
	if state == nil {
		return nil
	}
	m := &Memory{state: state, commits: state.Bucket(commitsName), tags: state.Bucket(tagsName), branches: readBranches(state)}
	if m.commits == nil || m.tags == nil {
		return nil
	}
	return m
}

// Memory is what earlier runs found out. It only saves time.
type Memory struct {
	state, commits, tags *bbolt.Bucket
	branches             []string
	pasts                []*past
}

// Known reports whether all projections of a source commit are known.
func (m *Memory) Known(commit object.ID) bool { return m.commits.Get(commit[:]) != nil }

// OnMainlines lists the source branches whose mainline a commit was on.
func (m *Memory) OnMainlines(commit object.ID) (branches []string) {
	set, _ := splitRecord(m.commits.Get(commit[:]))
	for i, branch := range m.branches {
		if i/8 < len(set) && set[i/8]&(1<<(i%8)) != 0 {
			branches = append(branches, branch)
		}
	}
	return branches
}

// Past returns what is known of the projection with this number.
func (m *Memory) Past(i int) projection.Past {
	for len(m.pasts) <= i {
		n := len(m.pasts)
		p := &past{number: n, commits: m.commits, records: m.state.Bucket(projectionName(n))}
		if p.records != nil {
			if last, _ := p.records.Cursor().Last(); last != nil {
				p.len = int32(binary.BigEndian.Uint32(last)) + 1
			}
		}
		m.pasts = append(m.pasts, p)
	}
	return m.pasts[i]
}

// Tag returns what a source tag, given by its name and object, yielded in a
// destination.
func (m *Memory) Tag(destination, name string, tag object.ID) (TagRecord, bool) {
	v := m.tags.Get(tagKey(destination, name, tag))
	if len(v) < 60 || len(v)%20 != 0 {
		return TagRecord{}, false
	}
	var r TagRecord
	for i, to := range []*object.ID{&r.Target, &r.Tree, &r.Parent} {
		copy(to[:], v[20*i:])
	}
	for v = v[60:]; len(v) > 0; v = v[20:] {
		r.Objects = append(r.Objects, object.ID(v[:20]))
	}
	return r, true
}

// readBranches lists the source branches. No name has a zero byte.
func readBranches(state *bbolt.Bucket) []string {
	if names := state.Get(branchesName); len(names) > 0 {
		return strings.Split(string(names), "\x00")
	}
	return nil
}

func projectionName(n int) []byte { return fmt.Appendf(nil, "projection %d", n) }

func tagKey(destination, name string, tag object.ID) []byte {
	return append([]byte(destination+"\x00"+name+"\x00"), tag[:]...)
}

// past is one projection.
type past struct {
	number           int
	len              int32
	commits, records *bbolt.Bucket
}

func (p *past) Len() int32 { return p.len }

// A record of a projected commit is its ID, source and tree, its generation and
// time, and its parents' numbers.
const recordSize = 3*20 + 4 + 8

func (p *past) Commit(i int32) (projection.Commit, error) {
	v := p.records.Get(binary.BigEndian.AppendUint32(nil, uint32(i)))
	if len(v) < recordSize {
		return projection.Commit{}, fmt.Errorf("the cache lacks commit %d of projection %d, which it names; remove the folder .publisher and run again", i, p.number)
	}
	c := projection.Commit{
		ID: object.ID(v[:20]), Source: object.ID(v[20:40]), Tree: object.ID(v[40:60]),
		Generation: binary.BigEndian.Uint32(v[60:]), Time: int64(binary.BigEndian.Uint64(v[64:])),
	}
	for v = v[recordSize:]; len(v) >= 4; v = v[4:] {
		c.Parents = append(c.Parents, int32(binary.BigEndian.Uint32(v)))
	}
	return c, nil
}

// unknown is a directory that exists and is not published, which cannot be.
const unknown = 1

func encodeCommit(c projection.Commit) []byte {
	v := make([]byte, 0, recordSize+4*len(c.Parents))
	v = append(append(append(v, c.ID[:]...), c.Source[:]...), c.Tree[:]...)
	v = binary.BigEndian.AppendUint32(v, c.Generation)
	v = binary.BigEndian.AppendUint64(v, uint64(c.Time))
	for _, p := range c.Parents {
		v = binary.BigEndian.AppendUint32(v, uint32(p))
	}
	return v
}

// splitRecord returns the two parts of a source commit's record. The first begins
// with its length, in two bytes, and is a set of branches: of each number a bit, in
// bytes of eight from the lowest bit up. The second has four bytes for each
// projection: twice one more than the commit's number, or zero, plus one where the
// directory exists; or unknown, where no branch of that projection had the commit yet.
func splitRecord(v []byte) (branches, numbers []byte) {
	if len(v) < 2 {
		return nil, nil
	}
	n := 2 + int(binary.BigEndian.Uint16(v))
	if n > len(v) {
		return nil, nil
	}
	return v[2:n], v[n:]
}

// At reads a source commit's record.
func (p *past) At(source object.ID) (i int32, present, ok bool) {
	_, v := splitRecord(p.commits.Get(source[:]))
	if len(v) < 4*(p.number+1) {
		return projection.None, false, false
	}
	n := binary.BigEndian.Uint32(v[4*p.number:])
	if n == unknown {
		return projection.None, false, false
	}
	return int32(n/2) - 1, n&1 != 0, true
}

// Save adds what a run found out. The cache is of no further use then, except to
// be closed.
func (c *Cache) Save(found *State) error {
	return c.save(func(tx *bbolt.Tx) error { return save(tx, found) })
}

// SaveProofs adds the proofs of a run that has otherwise found out nothing that holds.
// As after Save, the cache is only to be closed.
func (c *Cache) SaveProofs() error {
	if c == nil || len(c.newProofs) == 0 {
		return nil
	}
	return c.save(func(*bbolt.Tx) error { return nil })
}

func (c *Cache) save(more func(*bbolt.Tx) error) error {
	if c == nil {
		return nil
	}
	if err := c.rollback(); err != nil {
		return err
	}
	err := c.db.Update(func(tx *bbolt.Tx) error {
		if err := c.saveBlobs(tx); err != nil {
			return err
		}
		if err := c.saveProofs(tx); err != nil {
			return err
		}
		return more(tx)
	})
	if err == nil {
		err = writeSum(c.file)
	}
	if err != nil {
		return fmt.Errorf("save cache: %w", err)
	}
	return nil
}

func (c *Cache) saveBlobs(tx *bbolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists(blobsBucket)
	if err != nil {
		return err
	}
	var ids []object.ID
	for id := range c.new.All() {
		ids = append(ids, id)
	}
	return putAll(b, ids, func(id object.ID) []byte {
		blob, _ := c.new.Get(id)
		return binary.BigEndian.AppendUint64(blob.Sum[:], uint64(blob.Size))
	})
}

func (c *Cache) saveProofs(tx *bbolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists(proofsBucket)
	if err != nil {
		return err
	}
	for key := range c.newProofs {
		if err := b.Put(key[:], []byte{}); err != nil {
			return err
		}
	}
	return nil
}

func compareIDs(a, b object.ID) int { return strings.Compare(string(a[:]), string(b[:])) }

func save(tx *bbolt.Tx, found *State) error {
	name := []byte(statePrefix + found.Key)
	if !found.Incremental {
		// Numbers of an older state mean nothing any more.
		var old [][]byte
		if err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if strings.HasPrefix(string(name), statePrefix) {
				old = append(old, slices.Clone(name))
			}
			return nil
		}); err != nil {
			return err
		}
		for _, name := range old {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
		}
	}
	state, err := tx.CreateBucketIfNotExists(name)
	if err != nil {
		return err
	}
	for n, pr := range found.Projections {
		records, err := state.CreateBucketIfNotExists(projectionName(n))
		if err != nil {
			return err
		}
		records.FillPercent = 0.95 // Keys only grow.
		from := pr.Base()
		if !found.Incremental {
			from = 0 // What was taken over is not in the cache yet.
		}
		for i := from; i < pr.Len(); i++ {
			c, err := pr.Commit(i)
			if err != nil {
				return err
			}
			if err := records.Put(binary.BigEndian.AppendUint32(nil, uint32(i)), encodeCommit(c)); err != nil {
				return err
			}
		}
	}
	if err := saveTags(state, found); err != nil {
		return err
	}
	return saveCommits(state, found)
}

func saveTags(state *bbolt.Bucket, found *State) error {
	tags, err := state.CreateBucketIfNotExists(tagsName)
	if err != nil {
		return err
	}
	for _, t := range found.Tags {
		v := append(append(slices.Clone(t.Target[:]), t.Tree[:]...), t.Parent[:]...)
		for _, id := range t.Objects {
			v = append(v, id[:]...)
		}
		if err := tags.Put(tagKey(t.Destination, t.Name, t.Object), v); err != nil {
			return err
		}
	}
	return nil
}

// saveCommits adds a record of each source commit.
func saveCommits(state *bbolt.Bucket, found *State) error {
	branches := readBranches(state)
	for branch := range found.Mainlines {
		if !slices.Contains(branches, branch) {
			branches = append(branches, branch)
		}
	}
	if err := state.Put(branchesName, []byte(strings.Join(branches, "\x00"))); err != nil {
		return err
	}
	g, width := found.Graph, (len(branches)+7)/8
	sets := make([]byte, width*g.Len())
	for i, branch := range branches {
		for n, on := range found.Mainlines[branch] {
			if on {
				sets[n*width+i/8] |= 1 << (i % 8)
			}
		}
	}
	var ids []object.ID
	for n, id := range g.IDs {
		if !g.Known[n] {
			ids = append(ids, id)
		}
	}
	b, err := state.CreateBucketIfNotExists(commitsName)
	if err != nil {
		return err
	}
	return putAll(b, ids, func(id object.ID) []byte {
		n, _ := g.Node(id)
		v := make([]byte, 0, 2+width+4*len(found.Projections))
		v = binary.BigEndian.AppendUint16(v, uint16(width))
		v = append(v, sets[int(n)*width:][:width]...)
		for _, pr := range found.Projections {
			at := uint32(pr.At[n]+1) * 2
			switch {
			case !pr.Wants(n):
				at = unknown
			case pr.Present[n]:
				at++
			}
			v = binary.BigEndian.AppendUint32(v, at)
		}
		return v
	})
}

// putAll stores ids in their order, in which a B+ tree takes them best. The first
// ones fill its pages; what comes later is spread over them, and needs room there.
func putAll(b *bbolt.Bucket, ids []object.ID, value func(object.ID) []byte) error {
	if first, _ := b.Cursor().First(); first == nil {
		b.FillPercent = 0.9
	}
	slices.SortFunc(ids, compareIDs)
	for _, id := range ids {
		if err := b.Put(id[:], value(id)); err != nil {
			return err
		}
	}
	return nil
}
