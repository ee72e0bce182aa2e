package csaupgrade_test

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

const (
	update = metav1.ManagedFieldsOperationUpdate
	apply  = metav1.ManagedFieldsOperationApply
)

func entry(manager string, operation metav1.ManagedFieldsOperationType, version, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: operation, APIVersion: version,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields),
	}
}

func status(e metav1.ManagedFieldsEntry) metav1.ManagedFieldsEntry {
	e.Subresource = "status"
	return e
}

func holding(entries ...metav1.ManagedFieldsEntry) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "web", ResourceVersion: "7", ManagedFields: entries}}
}

var upgrades = map[string]struct {
	before, after []metav1.ManagedFieldsEntry
	opts          []csaupgrade.Option
}{
	"none there is nothing to do": {},
	"others are left alone": {
		before: []metav1.ManagedFieldsEntry{entry("x", update, "v1", `{"f:a":{}}`), entry("ssa", apply, "v1", `{"f:b":{}}`), entry("old", apply, "v1", `{"f:c":{}}`)},
		after:  []metav1.ManagedFieldsEntry{entry("x", update, "v1", `{"f:a":{}}`), entry("ssa", apply, "v1", `{"f:b":{}}`), entry("old", apply, "v1", `{"f:c":{}}`)},
	},
	"an update becomes an apply": {
		before: []metav1.ManagedFieldsEntry{entry("old", update, "v1", `{"f:a":{}}`), entry("x", update, "v1", `{"f:b":{}}`)},
		after:  []metav1.ManagedFieldsEntry{entry("ssa", apply, "v1", `{"f:a":{}}`), entry("x", update, "v1", `{"f:b":{}}`)},
	},
	"an update is merged into the apply there is": {
		before: []metav1.ManagedFieldsEntry{entry("old", update, "v1", `{"f:a":{}}`), entry("ssa", apply, "v1", `{"f:b":{}}`)},
		after:  []metav1.ManagedFieldsEntry{entry("ssa", apply, "v1", `{"f:a":{},"f:b":{}}`)},
	},
	"several managers become one": {
		before: []metav1.ManagedFieldsEntry{entry("older", update, "v1", `{"f:b":{}}`), entry("old", update, "v1", `{"f:a":{}}`)},
		after:  []metav1.ManagedFieldsEntry{entry("ssa", apply, "v1", `{"f:a":{},"f:b":{}}`)},
	},
	"fields of other versions are given up": {
		before: []metav1.ManagedFieldsEntry{entry("old", update, "v1", `{"f:a":{}}`), entry("old", update, "v1beta1", `{"f:b":{}}`)},
		after:  []metav1.ManagedFieldsEntry{entry("ssa", apply, "v1", `{"f:a":{}}`)},
	},
	"subresources are others": {
		before: []metav1.ManagedFieldsEntry{status(entry("old", update, "v1", `{"f:s":{}}`)), entry("old", update, "v1", `{"f:a":{}}`)},
		after:  []metav1.ManagedFieldsEntry{status(entry("old", update, "v1", `{"f:s":{}}`)), entry("ssa", apply, "v1", `{"f:a":{}}`)},
	},
	"a subresource can be asked for": {
		before: []metav1.ManagedFieldsEntry{status(entry("old", update, "v1", `{"f:s":{}}`)), entry("old", update, "v1", `{"f:a":{}}`)},
		after:  []metav1.ManagedFieldsEntry{status(entry("ssa", apply, "v1", `{"f:s":{}}`)), entry("old", update, "v1", `{"f:a":{}}`)},
		opts:   []csaupgrade.Option{csaupgrade.Subresource("status")},
	},
}

func TestUpdatesBecomeApplies(t *testing.T) {
	old := sets.New("old", "older")
	for name, c := range upgrades {
		t.Run(name, func(t *testing.T) {
			obj := holding(c.before...)
			patch, err := csaupgrade.UpgradeManagedFieldsPatch(obj, old, "ssa", c.opts...)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(obj, holding(c.before...)) {
				t.Error("the patch changed the object")
			}
			if same := reflect.DeepEqual(c.before, c.after); same != (patch == nil) {
				t.Errorf("patch %s", patch)
			}
			if patch != nil && !strings.HasSuffix(string(patch), `{"op":"replace","path":"/metadata/resourceVersion","value":"7"}]`) {
				t.Errorf("the patch does not fail on a conflict: %s", patch)
			}
			for range 2 { // the second time has nothing left to do
				if err := csaupgrade.UpgradeManagedFields(obj, old, "ssa", c.opts...); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(obj, holding(c.after...)) {
					t.Errorf("got %v, want %v", obj.ManagedFields, c.after)
				}
			}
		})
	}
}

func TestUnreadableFieldsAreAnErrorThatNamesTheManager(t *testing.T) {
	obj := holding(entry("old", update, "v1", `{"nonsense`))
	if err := csaupgrade.UpgradeManagedFields(obj, sets.New("old"), "ssa"); err == nil || !strings.Contains(err.Error(), `"ssa"`) {
		t.Errorf("got error %v", err)
	}
	if obj.ManagedFields[0].Manager != "old" {
		t.Error("the object was changed all the same")
	}
}

func TestFindFieldsOwnersWantsAllFields(t *testing.T) {
	entries := []metav1.ManagedFieldsEntry{
		entry("some", update, "v1", `{"f:a":{}}`),
		entry("all", update, "v1", `{"f:a":{},"f:b":{},"f:c":{}}`),
		entry("broken", update, "v1", `{"`),
		entry("other", apply, "v1", `{"f:a":{},"f:b":{}}`),
	}
	ab := fieldpath.NewSet(fieldpath.MakePathOrDie("a"), fieldpath.MakePathOrDie("b"))
	owners := csaupgrade.FindFieldsOwners(entries, update, ab)
	if len(owners) != 1 || owners[0].Manager != "all" {
		t.Errorf("owners are %v", owners)
	}
}
