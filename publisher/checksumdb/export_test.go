package checksumdb

// What tests kill is the process, not the machine. Waiting for a disk that others use,
// too, would take most of their time.
func init() { syncs = false }

// Sync has the rest of a test wait for the disk.
func Sync(cleanup func(func())) {
	syncs = true
	cleanup(func() { syncs = false })
}

// Before has a function called before each file is put in place. Its error ends what
// was being done there, as if the process had been killed.
func (d *Database) Before(f func(name string) error) { d.before = f }
