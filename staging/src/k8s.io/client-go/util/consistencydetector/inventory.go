package consistencydetector

import (
	"fmt"
	"slices"
	"strings"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
)

// maxDifferences is how many differences an error lists.
const maxDifferences = 10

// key tells objects apart. Two objects of one name are two if the one was
// deleted before the other was created.
type key struct {
	name types.NamespacedName
	uid  types.UID
}

// An inventory holds objects without an order.
type inventory map[key]any

func (i inventory) add(item any) error {
	object, err := meta.Accessor(item)
	if err != nil {
		return fmt.Errorf("an item is a %T: %w", item, err)
	}
	k := key{types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}, object.GetUID()}
	if _, twice := i[k]; twice {
		return fmt.Errorf("%s (UID %q) is there twice", k.name, k.uid)
	}
	i[k] = item
	return nil
}

// compare returns an error that names the objects that got does not have, has
// too many, or has otherwise than i. It does not say what is in them: they may
// be secrets.
func (i inventory) compare(got inventory) error {
	var differences []string
	note := func(k key, what string) {
		differences = append(differences, fmt.Sprintf("%s (UID %q) %s", k.name, k.uid, what))
	}
	for k, item := range i {
		switch other, ok := got[k]; {
		case !ok:
			note(k, "is in the list only")
		case !apiequality.Semantic.DeepEqual(item, other):
			note(k, fmt.Sprintf("differs: it has resource version %q in the list, %q otherwise", version(item), version(other)))
		}
	}
	for k := range got {
		if _, ok := i[k]; !ok {
			note(k, "is not in the list")
		}
	}
	if len(differences) == 0 {
		return nil
	}

	slices.Sort(differences)
	if more := len(differences) - maxDifferences; more > 0 {
		differences = append(differences[:maxDifferences], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%d objects were listed, %d were there: %s", len(i), len(got), strings.Join(differences, "; "))
}

func version(item any) string {
	object, err := meta.Accessor(item)
	if err != nil {
		return ""
	}
	return object.GetResourceVersion()
}
