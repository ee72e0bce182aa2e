package verify

// mostCommits bounds how many commits of a mirror are diagnosed one by one.
const mostCommits = 20

// commits accounts for all commits of the mirror. A name that is expected
// proves the commit with all that is behind it, since git fsck has hashed it.
func (c *checker) commits() error {
	var unexpected []int32
	for n, id := range c.h.ids {
		switch {
		case c.foreign[n]:
			c.out.ForeignCommits++
		case c.expects(id):
			c.out.Commits++
		default:
			unexpected = append(unexpected, int32(n))
		}
	}
	if len(unexpected) == 0 {
		return nil
	}
	return c.diagnose(unexpected)
}
