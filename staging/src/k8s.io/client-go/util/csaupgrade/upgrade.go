// Package csaupgrade hands the fields that a program owned by client-side apply,
// and by updates, over to the field manager it uses for server-side apply.
//
// A program that moves from the one to the other starts out with its fields owned
// twice: by the manager of its updates, and by that of its applies. What it no
// longer applies then is not removed, as the first manager holds on to it. So
// before, or right after, the first server-side apply to an object, such a
// program sends the patch of [UpgradeManagedFieldsPatch]:
//
//	patch, err := csaupgrade.UpgradeManagedFieldsPatch(obj, sets.New("my-tool"), "my-tool-ssa")
//	if err == nil && patch != nil {
//		_, err = client.Patch(ctx, name, types.JSONPatchType, patch, metav1.PatchOptions{})
//	}
package csaupgrade

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// An Option changes what is upgraded.
type Option func(*options)

type options struct {
	subresource string
}

// Subresource has what was written by way of the subresource s upgraded, such as
// "status", in place of what was written to the object as such.
func Subresource(s string) Option {
	return func(o *options) { o.subresource = s }
}

// FindFieldsOwners returns the entries for operation whose managers own all of
// fields. An entry that cannot be read owns nothing.
func FindFieldsOwners(
	managedFields []metav1.ManagedFieldsEntry,
	operation metav1.ManagedFieldsOperationType,
	fields *fieldpath.Set,
) []metav1.ManagedFieldsEntry {
	var owners []metav1.ManagedFieldsEntry
	for _, entry := range managedFields {
		if entry.Operation != operation {
			continue
		}
		if owned, err := fieldsOf(entry); err == nil && fields.Difference(owned).Empty() {
			owners = append(owners, entry)
		}
	}
	return owners
}

// UpgradeManagedFields changes the managed fields of obj so that what any of
// csaManagerNames owns by update is owned by ssaManagerName by apply.
//
// Fields that were owned in another version of the API than ssaManagerName uses
// cannot be told in its terms, and are given up. There is no way back: who owned
// what by update is lost. If an entry cannot be read there is an error, and obj
// stays as it is.
func UpgradeManagedFields(
	obj runtime.Object,
	csaManagerNames sets.Set[string],
	ssaManagerName string,
	opts ...Option,
) error {
	object, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	upgraded, err := upgrade(object.GetManagedFields(), csaManagerNames, ssaManagerName, opts)
	if err != nil {
		return fmt.Errorf("upgrade managed fields of %q: %w", object.GetName(), err)
	}
	object.SetManagedFields(upgraded)
	return nil
}

// UpgradeManagedFieldsPatch returns a JSON patch that does to the object in the
// API what [UpgradeManagedFields] does to obj, or nil if there is nothing to do.
// The patch fails with a conflict if obj is not the latest version by then. obj
// is not changed.
func UpgradeManagedFieldsPatch(
	obj runtime.Object,
	csaManagerNames sets.Set[string],
	ssaManagerName string,
	opts ...Option,
) ([]byte, error) {
	object, err := meta.Accessor(obj)
	if err != nil {
		return nil, err
	}
	before := object.GetManagedFields()
	after, err := upgrade(before, csaManagerNames, ssaManagerName, opts)
	if err != nil {
		return nil, fmt.Errorf("upgrade managed fields of %q: %w", object.GetName(), err)
	}
	if reflect.DeepEqual(before, after) {
		return nil, nil
	}
	type replace struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	return json.Marshal([]replace{
		{"replace", "/metadata/managedFields", after},
		// Makes it fail if the object has changed since obj was read.
		{"replace", "/metadata/resourceVersion", object.GetResourceVersion()},
	})
}

// upgrade returns what is to become of entries, which it leaves alone.
func upgrade(entries []metav1.ManagedFieldsEntry, csaManagers sets.Set[string], ssaManager string, opts []Option) ([]metav1.ManagedFieldsEntry, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	isOld := func(e metav1.ManagedFieldsEntry) bool {
		return e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == o.subresource && csaManagers.Has(e.Manager)
	}
	isHeir := func(e metav1.ManagedFieldsEntry) bool {
		return e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == o.subresource && e.Manager == ssaManager
	}
	if !slices.ContainsFunc(entries, isOld) {
		return entries, nil
	}
	upgraded := slices.Clone(entries)
	heir := slices.IndexFunc(upgraded, isHeir)
	if heir < 0 {
		// Nothing was applied yet. The latest update comes first.
		heir = slices.IndexFunc(upgraded, isOld)
		upgraded[heir].Operation = metav1.ManagedFieldsOperationApply
		upgraded[heir].Manager = ssaManager
	}
	inherited, err := fieldsOf(upgraded[heir])
	if err != nil {
		return nil, err
	}
	for _, entry := range upgraded {
		if !isOld(entry) || entry.APIVersion != upgraded[heir].APIVersion {
			continue
		}
		owned, err := fieldsOf(entry)
		if err != nil {
			return nil, err
		}
		inherited = inherited.Union(owned)
	}
	raw, err := inherited.ToJSON()
	if err != nil {
		return nil, err
	}
	upgraded[heir].FieldsV1 = metav1.NewFieldsV1(string(raw))
	return slices.DeleteFunc(upgraded, isOld), nil
}

func fieldsOf(entry metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if entry.FieldsV1 == nil {
		return set, nil
	}
	if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
		return nil, fmt.Errorf("fields of manager %q: %w", entry.Manager, err)
	}
	return set, nil
}
