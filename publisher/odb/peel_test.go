package odb_test

import (
	"errors"
	"fmt"
	"testing"

	"k8s.io/publisher/gittest"
	"k8s.io/publisher/object"
	"k8s.io/publisher/odb"
)

// TestTagsAreFollowedToTheirEnd peels tags of everything, and of tags, but not
// without end.
func TestTagsAreFollowedToTheirEnd(t *testing.T) {
	t.Parallel()
	repo := gittest.New(t)
	repo.History("A: x=1\nbranch main A")
	commit := repo.Commits["A"]
	blob := repo.Put(object.BlobType, []byte("x"))
	tag := func(name string, of object.Type, target object.ID) object.ID {
		return repo.Put(object.TagType, (&object.Tag{Target: target, TargetType: of, Name: name, Message: []byte("x\n")}).Encode())
	}
	outer := tag("outer", object.TagType, tag("inner", object.CommitType, commit))
	deep := commit
	for i := range 200 {
		deep = tag(fmt.Sprint(i), object.TagType, deep)
	}
	broken := repo.Put(object.TagType, nil)
	ofBlob, lies := tag("blob", object.BlobType, blob), tag("lies", object.TreeType, commit)
	repo.Branch("main", commit) // Writes all of it.
	store, err := odb.Open(repo.Dir + "/objects")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, test := range []struct {
		from  object.ID
		kind  object.Type
		to    object.ID
		outer string
	}{
		{commit, object.CommitType, commit, ""},
		{blob, object.BlobType, blob, ""},
		{outer, object.CommitType, commit, "outer"},
		{ofBlob, object.BlobType, blob, "blob"},
		{lies, object.CommitType, commit, "lies"},
	} {
		kind, to, tag, err := store.Reader().Peel(test.from)
		if err != nil || kind != test.kind || to != test.to || (tag != nil) != (test.outer != "") || tag != nil && tag.Name != test.outer {
			t.Errorf("%s: got %v %s, %v, %v", test.from, kind, to, tag, err)
		}
	}
	for _, from := range []object.ID{deep, broken} {
		_, _, _, err := store.Reader().Peel(from)
		if format, ok := errors.AsType[*object.FormatError](err); !ok || format.Type != object.TagType {
			t.Errorf("%s: got %v", from, err)
		}
	}
}
