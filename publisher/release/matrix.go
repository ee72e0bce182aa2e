package release

import (
	"slices"

	gosemver "golang.org/x/mod/semver"
)

// Matrix says which minor versions of a client go with which of a cluster, as users
// of Kubernetes' clients know such a table: a row for each of the client, a column for
// each of the cluster, the newest first.
type Matrix struct {
	// Clusters are the columns: minor versions such as 1.36.
	Clusters []string
	Rows     []MatrixRow
}

// MatrixRow is a minor version of the client.
type MatrixRow struct {
	// Newest is its newest release; zero in the row of the branch's head.
	Newest Release
	// Branch is the branch whose head the row is about; empty in other rows.
	Branch string
	// Fits has a value for each column.
	Fits []Fit
}

// Name is what to call the row: a minor version such as v0.36, or the branch.
func (r MatrixRow) Name() string {
	if r.Branch != "" {
		return r.Branch
	}
	return r.Newest.Minor()
}

// Fit is how well a client goes with a cluster.
type Fit int

const (
	// Differs is a client and a cluster of two different releases.
	Differs Fit = iota
	// Same is a client and a cluster of one release.
	Same
)

// Sign is what the table has.
func (f Fit) Sign() string {
	if f == Same {
		return "✓"
	}
	return "+-"
}

// Meaning says the sign in words.
func (f Fit) Meaning() string {
	if f == Same {
		return "same release"
	}
	return "parts differ"
}

// Key explains the signs that the table has.
func (m *Matrix) Key() []KeyEntry {
	key := []KeyEntry{{"✓", "Client and cluster come from one release: each has all of the other's API."}}
	if len(m.Clusters) > 1 || len(m.Rows) > 1 {
		key = append(key,
			KeyEntry{"+", "The client may know of API that this cluster does not serve: it is newer, or still has what newer clusters have dropped."},
			KeyEntry{"-", "The cluster may serve API that this client does not know of. What both know works."})
	}
	return key
}

// KeyEntry explains a sign.
type KeyEntry struct{ Sign, Meaning string }

// NewMatrix makes the table of releases that name both versions. It is nil where none
// does. The branch is the one of development, and may be empty.
func NewMatrix(releases []Release, branch string) *Matrix {
	type line struct {
		newest  Release
		cluster string
	}
	newest := make(map[string]line) // by the client's minor version
	for _, r := range releases {
		if r.Version == "" || r.Cluster == "" {
			continue
		}
		if is, known := newest[r.Minor()]; !known || CompareLatest(r, is.newest) > 0 {
			newest[r.Minor()] = line{r, minorOf(r.Cluster)}
		}
	}
	if len(newest) == 0 {
		return nil
	}
	m := new(Matrix)
	lines := make([]line, 0, len(newest))
	for _, l := range newest {
		lines = append(lines, l)
		m.Clusters = append(m.Clusters, l.cluster)
	}
	slices.SortFunc(m.Clusters, func(a, b string) int { return compareMinors(b, a) })
	m.Clusters = slices.Compact(m.Clusters)
	slices.SortFunc(lines, func(a, b line) int { return gosemver.Compare(b.newest.Version, a.newest.Version) })
	if branch != "" {
		m.Rows = append(m.Rows, MatrixRow{Branch: branch, Fits: make([]Fit, len(m.Clusters))})
	}
	for _, l := range lines {
		row := MatrixRow{Newest: l.newest, Fits: make([]Fit, len(m.Clusters))}
		row.Fits[slices.Index(m.Clusters, l.cluster)] = Same
		m.Rows = append(m.Rows, row)
	}
	return m
}
