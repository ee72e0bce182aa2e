package v1

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd/api"
)

// What a file keeps in a list of named items is a map by name in memory. The
// functions below convert the one to the other; what conversion-gen generates
// calls them. They agree on this:
//
//   - List to map: two items of one name are an error, because either could be
//     the one that was meant, and only one could be written again. So is a name
//     that the map has already. An extension that is null is not an item.
//   - Map to list: items stand in the order of their names, so that writing a
//     file again changes only the lines whose contents changed. An empty map
//     leaves the list as it is.

// DuplicateNameError tells that a list has two items of one name.
type DuplicateNameError struct {
	// Kind is what is listed: "cluster", "user", "context" or "extension".
	Kind string
	// Name is what they are both called.
	Name string
}

func (e *DuplicateNameError) Error() string {
	return fmt.Sprintf("duplicate name %q in list of %ss: rename or remove one of them", e.Name, e.Kind)
}

// reindex adds the items to byName. For each of them, parts returns its name
// and what is to be converted.
func reindex[Item, Stanza, Value any](kind string, items []Item, byName *map[string]*Value,
	parts func(*Item) (*string, *Stanza), empty func() *Value, convert func(*Stanza, *Value, conversion.Scope) error, s conversion.Scope) error {
	if len(items) == 0 {
		return nil
	}
	if *byName == nil {
		*byName = make(map[string]*Value, len(items))
	}
	for i := range items {
		name, stanza := parts(&items[i])
		if _, taken := (*byName)[*name]; taken {
			return &DuplicateNameError{Kind: kind, Name: *name}
		}
		value := empty()
		if err := convert(stanza, value, s); err != nil {
			return fmt.Errorf("converting %s %q: %w", kind, *name, err)
		}
		(*byName)[*name] = value
	}
	return nil
}

// relist appends an item for each entry of byName; parts returns what of the
// item is to be set.
func relist[Item, Stanza, Value any](kind string, byName map[string]*Value, items *[]Item,
	parts func(*Item) (*string, *Stanza), convert func(*Value, *Stanza, conversion.Scope) error, s conversion.Scope) error {
	*items = slices.Grow(*items, len(byName))
	for _, key := range slices.Sorted(maps.Keys(byName)) {
		var item Item
		name, stanza := parts(&item)
		*name = key
		if value := byName[key]; value != nil {
			if err := convert(value, stanza, s); err != nil {
				return fmt.Errorf("converting %s %q: %w", kind, key, err)
			}
		}
		*items = append(*items, item)
	}
	return nil
}

func (c *NamedCluster) parts() (*string, *Cluster)   { return &c.Name, &c.Cluster }
func (u *NamedAuthInfo) parts() (*string, *AuthInfo) { return &u.Name, &u.AuthInfo }
func (c *NamedContext) parts() (*string, *Context)   { return &c.Name, &c.Context }

// Convert_Slice_v1_NamedCluster_To_Map_string_To_Pointer_api_Cluster converts
// a list of clusters. A name that occurs twice is a [*DuplicateNameError].
func Convert_Slice_v1_NamedCluster_To_Map_string_To_Pointer_api_Cluster(in *[]NamedCluster, out *map[string]*api.Cluster, s conversion.Scope) error {
	return reindex("cluster", *in, out, (*NamedCluster).parts, api.NewCluster, Convert_v1_Cluster_To_api_Cluster, s)
}

// Convert_Map_string_To_Pointer_api_Cluster_To_Slice_v1_NamedCluster converts
// a map of clusters.
func Convert_Map_string_To_Pointer_api_Cluster_To_Slice_v1_NamedCluster(in *map[string]*api.Cluster, out *[]NamedCluster, s conversion.Scope) error {
	return relist("cluster", *in, out, (*NamedCluster).parts, Convert_api_Cluster_To_v1_Cluster, s)
}

// Convert_Slice_v1_NamedAuthInfo_To_Map_string_To_Pointer_api_AuthInfo
// converts a list of users. A name that occurs twice is a
// [*DuplicateNameError].
func Convert_Slice_v1_NamedAuthInfo_To_Map_string_To_Pointer_api_AuthInfo(in *[]NamedAuthInfo, out *map[string]*api.AuthInfo, s conversion.Scope) error {
	return reindex("user", *in, out, (*NamedAuthInfo).parts, newAuthInfo, Convert_v1_AuthInfo_To_api_AuthInfo, s)
}

// Convert_Map_string_To_Pointer_api_AuthInfo_To_Slice_v1_NamedAuthInfo
// converts a map of users.
func Convert_Map_string_To_Pointer_api_AuthInfo_To_Slice_v1_NamedAuthInfo(in *map[string]*api.AuthInfo, out *[]NamedAuthInfo, s conversion.Scope) error {
	return relist("user", *in, out, (*NamedAuthInfo).parts, Convert_api_AuthInfo_To_v1_AuthInfo, s)
}

// Convert_Slice_v1_NamedContext_To_Map_string_To_Pointer_api_Context converts
// a list of contexts. A name that occurs twice is a [*DuplicateNameError].
func Convert_Slice_v1_NamedContext_To_Map_string_To_Pointer_api_Context(in *[]NamedContext, out *map[string]*api.Context, s conversion.Scope) error {
	return reindex("context", *in, out, (*NamedContext).parts, api.NewContext, Convert_v1_Context_To_api_Context, s)
}

// Convert_Map_string_To_Pointer_api_Context_To_Slice_v1_NamedContext converts
// a map of contexts.
func Convert_Map_string_To_Pointer_api_Context_To_Slice_v1_NamedContext(in *map[string]*api.Context, out *[]NamedContext, s conversion.Scope) error {
	return relist("context", *in, out, (*NamedContext).parts, Convert_api_Context_To_v1_Context, s)
}

// Convert_Slice_v1_NamedExtension_To_Map_string_To_runtime_Object converts a
// list of extensions. What is raw JSON becomes a [*runtime.Unknown], what is
// missing or null becomes nil. A name that occurs twice is a [*DuplicateNameError].
func Convert_Slice_v1_NamedExtension_To_Map_string_To_runtime_Object(in *[]NamedExtension, out *map[string]runtime.Object, s conversion.Scope) error {
	if *out == nil && len(*in) != 0 {
		*out = make(map[string]runtime.Object, len(*in))
	}
	for i := range *in {
		name := (*in)[i].Name
		if (*out)[name] != nil {
			return &DuplicateNameError{Kind: "extension", Name: name}
		}
		var object runtime.Object
		if err := runtime.Convert_runtime_RawExtension_To_runtime_Object(&(*in)[i].Extension, &object, s); err != nil {
			return fmt.Errorf("converting extension %q: %w", name, err)
		}
		(*out)[name] = object
	}
	return nil
}

// Convert_Map_string_To_runtime_Object_To_Slice_v1_NamedExtension converts a
// map of extensions.
func Convert_Map_string_To_runtime_Object_To_Slice_v1_NamedExtension(in *map[string]runtime.Object, out *[]NamedExtension, s conversion.Scope) error {
	for _, name := range slices.Sorted(maps.Keys(*in)) {
		object := (*in)[name]
		item := NamedExtension{Name: name}
		if err := runtime.Convert_runtime_Object_To_runtime_RawExtension(&object, &item.Extension, s); err != nil {
			return fmt.Errorf("converting extension %q: %w", name, err)
		}
		*out = append(*out, item)
	}
	return nil
}

// newAuthInfo leaves the map of a user that acts as no other nil, as reading a
// file always has.
func newAuthInfo() *api.AuthInfo {
	return &api.AuthInfo{Extensions: map[string]runtime.Object{}}
}
