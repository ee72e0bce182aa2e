package rules

import "path"

// RefNames are the names of branches, or of tags, that one repository is to have, by
// themselves and by each directory that a name implies: git cannot hold both
// refs/tags/a and refs/tags/a/b.
type RefNames map[string]string

// Add adds a name. It is not ok where git cannot hold it together with another
// one, which is returned, or where that is the name itself, added before.
func (r RefNames) Add(name string) (other string, ok bool) {
	if other, taken := r[name]; taken {
		return other, false
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if r[dir] == dir {
			return dir, false
		}
	}
	r[name] = name
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		r[dir] = name
	}
	return "", true
}
