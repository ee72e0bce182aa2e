package restmapper

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A table maps names without regard to priority: it returns all that fits, in
// the order of the groups, versions and resources that it was made from. It is
// never changed, so that it needs no lock.
type table struct {
	rows []row

	// Chains of what has the same name. The maps hold where each begins, and
	// the slices what comes next. Ends are marked by none.
	//
	// A row has two links in the chains of names: 2i for its plural, and 2i+1
	// for its singular if that is another word.
	names    map[string]int32
	nextName []int32
	kinds    map[string]int32 // in lower case
	nextKind []int32
}

// A row is a resource in a version.
type row struct {
	gv               schema.GroupVersion
	plural, singular string
	kind             string
	lowerKind        string
	namespaced       bool
}

const none int32 = -1

// Lists are not in discovery. Where there is a Pod there is a PodList, and by
// the rule for words ending in t, its resource is podlists. Each version also
// has a List of anything.
const (
	listKind     = "List"
	listSingular = "list"
	listPlural   = "lists"
)

func newTable(groups []*APIGroupResources) *table {
	t := &table{}
	size := 0
	for _, group := range groups {
		for _, resources := range group.VersionedResources {
			size += len(resources) + 1
		}
	}
	t.rows = make([]row, 0, size)
	for _, group := range groups {
		for _, v := range group.Group.Versions {
			gv := schema.GroupVersion{Group: group.Group.Name, Version: v.Version}
			resources, ok := group.VersionedResources[v.Version]
			if !ok {
				continue
			}
			for i := range resources {
				if r := &resources[i]; !strings.Contains(r.Name, "/") {
					t.rows = append(t.rows, newRow(gv, r))
				}
			}
			t.rows = append(t.rows, row{gv: gv, kind: listKind, lowerKind: listSingular, singular: listSingular, plural: listPlural})
		}
	}
	t.index()
	return t
}

func newRow(gv schema.GroupVersion, r *metav1.APIResource) row {
	lower := r.SingularName
	if !strings.EqualFold(lower, r.Kind) || strings.ContainsFunc(lower, isUpper) {
		lower = strings.ToLower(r.Kind)
	}
	singular := r.SingularName
	if singular == "" {
		singular = lower
	}
	return row{
		gv:         gv,
		plural:     r.Name,
		singular:   singular,
		kind:       r.Kind,
		lowerKind:  lower,
		namespaced: r.Namespaced,
	}
}

func isUpper(r rune) bool { return r > 0x7f || 'A' <= r && r <= 'Z' }

// index builds the chains from behind, so that each is in the order of rows.
func (t *table) index() {
	t.names = make(map[string]int32, 2*len(t.rows))
	t.nextName = make([]int32, 2*len(t.rows))
	t.kinds = make(map[string]int32, len(t.rows))
	t.nextKind = make([]int32, len(t.rows))
	for i := len(t.rows) - 1; i >= 0; i-- {
		r := &t.rows[i]
		if r.singular != r.plural {
			link(t.names, t.nextName, r.singular, int32(2*i+1))
		}
		link(t.names, t.nextName, r.plural, int32(2*i))
		link(t.kinds, t.nextKind, r.lowerKind, int32(i))
	}
}

func link(heads map[string]int32, next []int32, name string, at int32) {
	head, ok := heads[name]
	if !ok {
		head = none
	}
	next[at], heads[name] = head, at
}

// A hit is a row that fits a name: as what it is, or as a list of it.
type hit struct {
	row  int32
	list bool
}

// byName returns the rows that a name may mean, in order.
func (t *table) byName(wanted schema.GroupVersionResource) []hit {
	var hits []hit
	at, ok := t.names[wanted.Resource]
	for ; ok && at != none; at = t.nextName[at] {
		if fits(t.rows[at/2].gv, wanted) {
			hits = append(hits, hit{row: at / 2})
		}
	}
	kind, isList := strings.CutSuffix(strings.TrimSuffix(wanted.Resource, "s"), listSingular)
	if !isList || kind == listSingular {
		return hits
	}
	at, ok = t.kinds[kind]
	for ; ok && at != none; at = t.nextKind[at] {
		if fits(t.rows[at].gv, wanted) {
			hits = append(hits, hit{row: at, list: true})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return int(a.row - b.row) })
	return hits
}

// fits reports whether a resource in gv can be meant. A group can be given by
// its beginning, so that storageclass.storage is one of storage.k8s.io; a
// group that is given together with a version cannot.
func fits(gv schema.GroupVersion, wanted schema.GroupVersionResource) bool {
	switch {
	case wanted.Group != "" && wanted.Version != "":
		return gv == wanted.GroupVersion()
	case wanted.Version != "":
		return gv.Version == wanted.Version
	}
	return strings.HasPrefix(gv.Group, wanted.Group)
}

func (h hit) resource(t *table) schema.GroupVersionResource {
	r := &t.rows[h.row]
	if h.list {
		return r.gv.WithResource(r.lowerKind + listPlural)
	}
	return r.gv.WithResource(r.plural)
}

func (h hit) gvk(t *table) schema.GroupVersionKind {
	r := &t.rows[h.row]
	if h.list {
		return r.gv.WithKind(r.kind + listKind)
	}
	return r.gv.WithKind(r.kind)
}

func (h hit) singular(t *table) string {
	r := &t.rows[h.row]
	if h.list {
		return r.lowerKind + listSingular
	}
	return r.singular
}

// plain returns input as it is compared: the name in lower case, and the
// internal version as any.
func plain(input schema.GroupVersionResource) (schema.GroupVersionResource, error) {
	input.Resource = strings.ToLower(input.Resource)
	if input.Version == runtime.APIVersionInternal {
		input.Version = ""
	}
	if input.Resource == "" {
		return input, fmt.Errorf("a resource must be present, got: %v", input)
	}
	return input, nil
}

func (t *table) ResourcesFor(input schema.GroupVersionResource) ([]schema.GroupVersionResource, error) {
	wanted, err := plain(input)
	if err != nil {
		return nil, err
	}
	hits := t.byName(wanted)
	if len(hits) == 0 {
		return nil, &meta.NoResourceMatchError{PartialResource: input}
	}
	found := make([]schema.GroupVersionResource, 0, len(hits))
	for _, h := range hits {
		if r := h.resource(t); !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	if len(found) > 1 && wanted.Group != "" && wanted.Version != "" {
		// Fully qualified, so that there is one at most: rather the plural.
		if slices.Contains(found, wanted) {
			return []schema.GroupVersionResource{wanted}, nil
		}
		return found[:1], nil
	}
	return found, nil
}

func (t *table) KindsFor(input schema.GroupVersionResource) ([]schema.GroupVersionKind, error) {
	wanted, err := plain(input)
	if err != nil {
		return nil, err
	}
	hits := t.byName(wanted)
	if len(hits) == 0 {
		return nil, &meta.NoResourceMatchError{PartialResource: input}
	}
	found := make([]schema.GroupVersionKind, 0, len(hits))
	for _, h := range hits {
		kind := h.gvk(t)
		if n := len(found); n > 0 && found[n-1].GroupVersion() == kind.GroupVersion() {
			// In one version a name means one kind: the last that has it.
			found[n-1] = kind
			continue
		}
		found = append(found, kind)
	}
	return found, nil
}

func (t *table) ResourceFor(input schema.GroupVersionResource) (schema.GroupVersionResource, error) {
	found, err := t.ResourcesFor(input)
	if err != nil {
		return schema.GroupVersionResource{}, err
	}
	if len(found) > 1 {
		return schema.GroupVersionResource{}, &meta.AmbiguousResourceError{PartialResource: input, MatchingResources: found}
	}
	return found[0], nil
}

func (t *table) KindFor(input schema.GroupVersionResource) (schema.GroupVersionKind, error) {
	found, err := t.KindsFor(input)
	if err != nil {
		return schema.GroupVersionKind{}, err
	}
	if len(found) > 1 {
		return schema.GroupVersionKind{}, &meta.AmbiguousResourceError{PartialResource: input, MatchingKinds: found}
	}
	return found[0], nil
}

// ResourceSingularizer returns the singular of the first version in which
// there is only one.
func (t *table) ResourceSingularizer(resource string) (string, error) {
	wanted, err := plain(schema.GroupVersionResource{Resource: resource})
	if err != nil {
		return resource, err
	}
	hits := t.byName(wanted)
	for len(hits) > 0 {
		gv := t.rows[hits[0].row].gv
		n := slices.IndexFunc(hits, func(h hit) bool { return t.rows[h.row].gv != gv })
		if n < 0 {
			n = len(hits)
		}
		singular := hits[0].singular(t)
		if !slices.ContainsFunc(hits[:n], func(h hit) bool { return h.singular(t) != singular }) {
			return singular, nil
		}
		err = fmt.Errorf("%q is the name of several resources of %s, whose singulars differ", resource, gv)
		hits = hits[n:]
	}
	if err == nil {
		err = &meta.NoResourceMatchError{PartialResource: wanted}
	}
	return resource, err
}

func (t *table) RESTMappings(gk schema.GroupKind, versions ...string) ([]*meta.RESTMapping, error) {
	hits := t.byKind(gk, versions)
	if len(hits) == 0 {
		return nil, &meta.NoKindMatchError{GroupKind: gk, SearchedVersions: versions}
	}
	found := make([]*meta.RESTMapping, len(hits))
	for i, h := range hits {
		r := &t.rows[h.row]
		found[i] = &meta.RESTMapping{
			Resource:         h.resource(t),
			GroupVersionKind: r.gv.WithKind(gk.Kind),
			Scope:            r.scope(),
		}
	}
	return found, nil
}

func (t *table) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	found, err := t.RESTMappings(gk, versions...)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		ambiguous := &meta.AmbiguousKindError{PartialKind: gk.WithVersion("")}
		for _, m := range found {
			ambiguous.MatchingKinds = append(ambiguous.MatchingKinds, m.GroupVersionKind)
		}
		return nil, ambiguous
	}
	return found[0], nil
}

func (r *row) scope() meta.RESTScope {
	if r.namespaced {
		return meta.RESTScopeNamespace
	}
	return meta.RESTScopeRoot
}

// byKind returns the rows of a kind in some versions, or in all if none is
// named, at most one of each version.
func (t *table) byKind(gk schema.GroupKind, versions []string) []hit {
	anyVersion := !slices.ContainsFunc(versions, isExternal)
	var hits []hit
	add := func(h hit) {
		r := &t.rows[h.row]
		if r.gv.Group != gk.Group || !anyVersion && !slices.Contains(versions, r.gv.Version) {
			return
		}
		if n := len(hits); n > 0 && t.rows[hits[n-1].row].gv == r.gv {
			hits[n-1] = h // the last that has it, as with names
			return
		}
		hits = append(hits, h)
	}
	lower := strings.ToLower(gk.Kind)
	at, ok := t.kinds[lower]
	for ; ok && at != none; at = t.nextKind[at] {
		// The kinds of resources can also be given in lower case.
		if kind := t.rows[at].kind; gk.Kind == kind || gk.Kind == lower && kind != listKind {
			add(hit{row: at})
		}
	}
	if of, isList := strings.CutSuffix(gk.Kind, listKind); isList && of != listKind && len(hits) == 0 {
		at, ok = t.kinds[strings.TrimSuffix(lower, listSingular)]
		for ; ok && at != none; at = t.nextKind[at] {
			if t.rows[at].kind == of {
				add(hit{row: at, list: true})
			}
		}
	}
	return hits
}

func isExternal(version string) bool {
	return version != "" && version != runtime.APIVersionInternal
}

func (t *table) String() string {
	return fmt.Sprintf("table of %d resources", len(t.rows))
}
