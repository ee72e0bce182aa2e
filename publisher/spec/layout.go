package spec

// Layout says where in the source a tree of a mirror comes from.
type Layout struct {
	// Dirs are the directories that it is the union of; the root is empty.
	Dirs []string
	// Siblings has the directories of each module that it may be pinned to. There
	// are none where the rules say that go.mod stays as it is.
	Siblings [][]string
}

// Layout returns where commits of the spec come from.
func (sp *Spec) Layout() Layout {
	l := Layout{Dirs: sp.Dirs}
	if sp.Pinned {
		for _, dep := range sp.Deps {
			l.Siblings = append(l.Siblings, dep.Dirs)
		}
	}
	return l
}
