package checksumdb

// Before has a function called before each file is put in place. Its error ends what
// was being done there, as if the process had been killed.
func (d *Database) Before(f func(name string) error) { d.before = f }
