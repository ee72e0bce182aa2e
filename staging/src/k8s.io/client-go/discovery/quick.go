package discovery

import (
	"slices"
	"unsafe"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// unsafeString returns b as a string. The caller never writes to b again.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// A quickDecoder reads the aggregated form straight into the lists of the
// older one. The fields of an object come in any order, so that each level
// gathers what it reads until its end:
//
//	list → group → version → resource → subresource
type quickDecoder struct {
	scanner
	picture

	group struct {
		name     string
		versions []quickVersion
	}
	version  quickVersion
	resource struct {
		metav1.APIResource
		scope string
		kind  metav1.GroupVersionKind
		subs  int // where in rows its subresources start
	}
	sub struct {
		name  string
		verbs []string
		kind  metav1.GroupVersionKind
	}
	kind *metav1.GroupVersionKind // the one that is being read

	// rows gathers the resources of one version, and is used for the next
	// one again.
	rows []metav1.APIResource

	// What is in each object. They are here lest they be built for each one.
	listFields, groupFields, nameFields, versionFields, resourceFields, subFields, kindFields []field
}

type quickVersion struct {
	name, freshness string
	resources       []metav1.APIResource
}

// decodeQuickly returns what decodeThoroughly would, unless it gives up.
func decodeQuickly(body []byte) (picture, bool) {
	d := &quickDecoder{picture: newPicture()}
	d.data = body
	d.known = make(map[string]string, 64)
	d.declare()
	d.object(d.listFields)
	if !d.end() {
		return picture{}, false
	}
	return d.picture, true
}

// declare says what is in which object.
func (d *quickDecoder) declare() {
	ignore := func() { d.str() }
	// Of metadata only the name is ever set. Other fields have types of many
	// kinds, which are not worth checking here.
	d.listFields = []field{
		{"kind", ignore},
		{"apiVersion", ignore},
		{"metadata", func() { d.objectElse(nil, d.giveUp) }},
		{"items", func() { d.array(d.readGroup) }},
	}
	d.groupFields = []field{
		{"metadata", func() { d.objectElse(d.nameFields, d.giveUp) }},
		{"versions", func() { d.array(d.readVersion) }},
		{"kind", ignore},
		{"apiVersion", ignore},
	}
	d.nameFields = []field{
		{"name", func() { d.group.name = d.str() }},
		{"creationTimestamp", d.readTimestamp},
	}
	d.versionFields = []field{
		{"version", func() { d.version.name = d.str() }},
		{"resources", func() { d.array(d.readResource) }},
		{"freshness", func() { d.version.freshness = d.str() }},
	}
	r := &d.resource
	d.resourceFields = []field{
		{"resource", func() { r.Name = d.str() }},
		{"responseKind", func() { d.readKind(&r.kind) }},
		{"scope", func() { r.scope = d.str() }},
		{"singularResource", func() { r.SingularName = d.str() }},
		{"verbs", func() { r.Verbs = d.strs() }},
		{"shortNames", func() { r.ShortNames = d.strs() }},
		{"categories", func() { r.Categories = d.strs() }},
		{"subresources", func() { d.array(d.readSubresource) }},
	}
	var accepted metav1.GroupVersionKind // nobody asks for these
	d.subFields = []field{
		{"subresource", func() { d.sub.name = d.str() }},
		{"responseKind", func() { d.readKind(&d.sub.kind) }},
		{"verbs", func() { d.sub.verbs = d.strs() }},
		{"acceptedTypes", func() { d.array(func() { d.readKind(&accepted) }) }},
	}
	d.kindFields = []field{
		{"group", func() { d.kind.Group = d.str() }},
		{"version", func() { d.kind.Version = d.str() }},
		{"kind", func() { d.kind.Kind = d.str() }},
	}
}

// Groups are not created, but some servers write down that they were not.
func (d *quickDecoder) readTimestamp() {
	if !d.null() {
		d.giveUp()
	}
}

func (d *quickDecoder) readGroup() {
	d.group.name, d.group.versions = "", d.group.versions[:0]
	d.object(d.groupFields)
	if d.gone {
		return
	}
	g := metav1.APIGroup{Name: d.group.name}
	for _, v := range d.group.versions {
		gv := schema.GroupVersion{Group: g.Name, Version: v.name}
		if v.freshness == string(apidiscovery.DiscoveryFreshnessStale) {
			d.failed[gv] = StaleGroupVersionError{gv}
			continue
		}
		d.addVersion(&g, gv, v.resources)
	}
	d.groups.Groups = append(d.groups.Groups, g)
}

func (d *quickDecoder) readVersion() {
	d.version, d.rows = quickVersion{}, d.rows[:0]
	d.object(d.versionFields)
	if len(d.rows) > 0 {
		d.version.resources = slices.Clone(d.rows)
	}
	d.group.versions = append(d.group.versions, d.version)
}

func (d *quickDecoder) readResource() {
	r := &d.resource
	r.APIResource, r.scope, r.kind = metav1.APIResource{}, "", metav1.GroupVersionKind{}
	// The row is the first, but may not be wanted: that is known at the end.
	d.rows = append(d.rows, metav1.APIResource{})
	r.subs = len(d.rows)
	d.object(d.resourceFields)

	r.Namespaced = r.scope == string(apidiscovery.ScopeNamespace)
	for i := range d.rows[r.subs:] {
		sub := &d.rows[r.subs+i]
		sub.Name = d.join(r.Name, sub.Name)
		sub.SingularName, sub.Namespaced = r.SingularName, r.Namespaced
	}
	if r.kind == (metav1.GroupVersionKind{}) {
		d.rows = slices.Delete(d.rows, r.subs-1, r.subs)
		return
	}
	r.Group, r.Version, r.Kind = r.kind.Group, r.kind.Version, r.kind.Kind
	d.rows[r.subs-1] = r.APIResource
}

// join returns parent/child.
func (d *quickDecoder) join(parent, child string) string {
	n := len(parent) + 1 + len(child)
	if cap(d.text)-len(d.text) < n {
		d.text = make([]byte, 0, max(textChunk, n))
	}
	start := len(d.text)
	d.text = append(append(append(d.text, parent...), '/'), child...)
	return unsafeString(d.text[start:])
}

func (d *quickDecoder) readSubresource() {
	s := &d.sub
	s.name, s.verbs, s.kind = "", nil, metav1.GroupVersionKind{}
	d.object(d.subFields)
	if s.kind == (metav1.GroupVersionKind{}) {
		return
	}
	d.rows = append(d.rows, metav1.APIResource{
		Name:    s.name, // without the parent's, which may yet have to be read
		Group:   s.kind.Group,
		Version: s.kind.Version,
		Kind:    s.kind.Kind,
		Verbs:   s.verbs,
	})
}

func (d *quickDecoder) readKind(kind *metav1.GroupVersionKind) {
	d.kind = kind
	d.object(d.kindFields)
}
