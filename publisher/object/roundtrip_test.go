package object_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/publisher/object"
)

// TestWhatGitWritesIsReproduced parses and encodes every object of a
// repository that git has filled with all it can write and much that it can
// only read.
func TestWhatGitWritesIsReproduced(t *testing.T) {
	repo := newRepository(t)
	fill(repo)

	counts := map[object.Type]int{}
	for o := range batch(t, repo.git(nil, "cat-file", "--batch", "--batch-all-objects", "--unordered")) {
		counts[o.kind]++
		encoded, err := reencode(o.kind, o.content)
		if err != nil {
			t.Errorf("%s %s: %v\n%q", o.kind, o.name, err, o.content)
			continue
		}
		if !bytes.Equal(encoded, o.content) {
			t.Errorf("%s %s\n got %q\nwant %q", o.kind, o.name, encoded, o.content)
		}
		if id := object.Hash(o.kind, encoded); id.String() != o.name {
			t.Errorf("%s %s is named %s", o.kind, o.name, id)
		}
	}
	for kind, least := range map[object.Type]int{object.CommitType: 20, object.TreeType: 5, object.BlobType: 1, object.TagType: 12} {
		if counts[kind] < least {
			t.Errorf("only %d objects of type %s", counts[kind], kind)
		}
	}
}

func TestCommitFieldsAreThoseOfGit(t *testing.T) {
	repo := newRepository(t)
	tree := repo.line(nil, "mktree")
	root := repo.line([]byte("root\n"), "commit-tree", tree)
	side := repo.line([]byte("side\n"), "commit-tree", tree, "-p", root)
	repo.git(nil, "update-ref", "refs/heads/main", root)
	repo.git([]byte("v1\n"), "tag", "--annotate", "--file=-", "v1", side)
	name := repo.write("commit", commit(tree, []string{root, side},
		"encoding ISO-8859-1\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\nflag\n", "\n\nTitle\n"))

	data := repo.git(nil, "cat-file", "commit", name)
	c, err := object.ParseCommit(data)
	if err != nil {
		t.Fatal(err)
	}
	format := "%T %P%n%an <%ae> %ad%n%cn <%ce> %cd%n%e%n%ct"
	want := repo.line(nil, "show", "--no-patch", "--date=raw", "--encoding=none", "--format="+format, name)
	var parents []string
	for _, p := range c.Parents {
		parents = append(parents, p.String())
	}
	encoding, _ := c.Header("encoding")
	committed, err := c.CommitTime()
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s\n%s\n%s\n%s\n%d", c.Tree, strings.Join(parents, " "), c.Author, c.Committer, encoding, committed.Unix())
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if sig, ok := c.Header("gpgsig"); !ok || string(sig) != "-----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----" {
		t.Errorf("gpgsig is %q, %v", sig, ok)
	}
	if flag, ok := c.Header("flag"); !ok || flag != nil {
		t.Errorf("a header without value has %q, %v", flag, ok)
	}
	if string(c.Message) != "\nTitle\n" {
		t.Errorf("message is %q", c.Message)
	}
	linkedTree, linkedParents, err := object.ParseLinks(data)
	if err != nil || linkedTree != c.Tree || !slices.Equal(linkedParents, c.Parents) {
		t.Errorf("ParseLinks gives %s, %s, %v", linkedTree, linkedParents, err)
	}
}

func TestTreeIsSortedAsGitSortsIt(t *testing.T) {
	repo := newRepository(t)
	listing, entries := trickyTree(repo)
	slices.Reverse(entries)
	data := object.EncodeTree(entries)
	name := repo.line([]byte(listing), "mktree", "-z")
	if id := object.Hash(object.TreeType, data); id.String() != name {
		t.Errorf("EncodeTree wrote %q\ngit mktree wrote %q", data, repo.git(nil, "cat-file", "tree", name))
	}
	for _, want := range entries {
		mode, id, ok, err := object.FindEntry(data, want.Name)
		if mode != want.Mode || id != want.ID || !ok || err != nil {
			t.Errorf("FindEntry(%q) = %o, %s, %v, %v; want %o, %s", want.Name, mode, id, ok, err, want.Mode, want.ID)
		}
	}
	if _, _, ok, err := object.FindEntry(data, "absent"); ok || err != nil {
		t.Errorf("FindEntry(absent) = %v, %v", ok, err)
	}
}

func TestMalformedObjectIsAnError(t *testing.T) {
	const id = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	raw := strings.Repeat("\x01", 20)
	for _, test := range []struct {
		kind    object.Type
		content string
	}{
		{object.CommitType, ""},
		{object.CommitType, "tree " + id},
		{object.CommitType, "tree " + id[1:] + "\n"},
		{object.CommitType, "tree " + id + "\nparent x\n"},
		{object.CommitType, "tree " + id + "\nauthor A <a> 1 +0000\n"},
		{object.CommitType, "tree " + id + "\nauthor A\ncommitter C"},
		{object.CommitType, "tree " + id + "\nauthor A\ncommitter C\ngpgsig x"},
		{object.CommitType, "tree " + id + "\nauthor A\ncommitter C\ngpgsig x\n y"},
		{object.TagType, "object " + id + "\n"},
		{object.TagType, "object " + id + "\ntype branch\ntag x\n"},
		{object.TagType, "object x\ntype commit\ntag x\n"},
		{object.TagType, "object " + id + "\ntype commit\n\n"},
		{object.TreeType, "100644 a\x00" + raw[1:]},
		{object.TreeType, "100648 a\x00" + raw},
		{object.TreeType, " a\x00" + raw},
		{object.TreeType, "100644 \x00" + raw},
		{object.TreeType, "100644"},
		{object.TreeType, "100644 a"},
	} {
		_, err := reencode(test.kind, []byte(test.content))
		if format, ok := err.(*object.FormatError); !ok || format.Type != test.kind {
			t.Errorf("%s %q: got the error %v, want a FormatError", test.kind, test.content, err)
		}
	}
}

// identities are what git and its elders have written after "author ".
var identities = []string{
	"A U Thor <author@example.com> 1112911993 -0730",
	"A U Thor <author@example.com> 1112911993 +051800",
	"A U Thor <author@example.com> 0 -0000",
	"\xc4\xfc <a@b> 1234567890 +1400",
	" <> 1 +0000",
	"No Date <a@b>",
	"Brackets <<a@b>> 1 +0000",
	"",
}

// signature looks like one, as the value of a header.
const signature = "-----BEGIN PGP SIGNATURE-----\n Version: 1\n \n iQ==\n =AAAA\n -----END PGP SIGNATURE-----\n"

// commit returns the content of a commit object.
func commit(tree string, parents []string, headers, rest string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	return b.String() + "author " + identities[0] + "\ncommitter C O Mitter <committer@example.com> 1112912053 +1345" + "\n" + headers + rest
}

// fill makes objects of all kinds.
func fill(repo repository) {
	listing, _ := trickyTree(repo)
	tree := repo.line([]byte(listing), "mktree", "-z")
	root := repo.line([]byte("root\n"), "commit-tree", tree)
	repo.git(nil, "update-ref", "refs/heads/main", root)

	// Commits that git makes itself.
	side := repo.line([]byte("no newline"), "commit-tree", tree, "-p", root)
	none := repo.line(nil, "commit-tree", tree, "-p", root)
	repo.git([]byte("octopus\n"), "commit-tree", tree, "-p", root, "-p", side, "-p", none)
	repo.git([]byte("\xfcml\xe4ut\n"), "-c", "i18n.commitEncoding=ISO-8859-1", "commit-tree", tree)

	// Merging a signed tag keeps it in the merge commit.
	signed := "object " + side + "\ntype commit\ntag v1\ntagger " + identities[0] + "\n\nv1\n\nnotes\n" +
		strings.ReplaceAll(signature, "\n ", "\n")
	repo.git(nil, "update-ref", "refs/tags/v1", repo.write("tag", signed))
	work := repository{TB: repo.TB, dir: repo.TempDir()}
	work.git(nil, "clone", "--quiet", repo.dir, ".")
	work.git([]byte("ours\n"), "commit", "--quiet", "--allow-empty", "--file=-")
	work.git(nil, "merge", "--quiet", "--no-ff", "--no-edit", "v1")
	if merge := work.git(nil, "cat-file", "commit", "HEAD"); !bytes.Contains(merge, []byte("\nmergetag object ")) {
		repo.Fatalf("git wrote no mergetag: %s", merge)
	}
	work.git(nil, "push", "--quiet", "origin", "HEAD:merged")

	// Commits that only hash-object makes.
	for _, rest := range []string{
		"", "\n", "\n\n", "\nmessage", "\nmessage\n", "\n message\n", "\nNUL \x00 byte\n",
		"encoding latin1\n\nmessage\n",
		"gpgsig " + signature + "\nmessage\n",
		"gpgsig " + signature + " \n\nmessage\n",
		"gpgsig-sha256 " + signature + "HG:extra a=b\nempty \nnone\n\nmessage\n",
		"none\n continued\n\nmessage\n",
		" continued\n\nmessage\n",
		"encoding latin1\n",
	} {
		repo.write("commit", commit(tree, []string{root}, "", rest))
	}
	for _, author := range identities {
		repo.write("commit", "tree "+tree+"\nauthor "+author+"\ncommitter "+author+"\n\nmessage\n")
	}

	// Tags.
	repo.git([]byte("nested\n"), "tag", "--annotate", "--file=-", "nested", "v1")
	repo.git([]byte("tree\n"), "tag", "--annotate", "--file=-", "tree", tree)
	head := "object " + root + "\ntype commit\ntag v2\n"
	tagger := "tagger " + identities[0] + "\n"
	repo.git([]byte(head+tagger+"\nmade\n"), "mktag")
	for _, rest := range []string{
		"", "\n", "\nno tagger\n", tagger, tagger + "\n", tagger + "\nno newline",
		tagger + "\nsigned\n" + strings.ReplaceAll(signature, "\n ", "\n"),
		tagger + "gpgsig-sha256 " + signature + "\nmessage\n",
		"tagger \n\nempty tagger\n",
	} {
		repo.write("tag", head+rest)
	}

	// Trees.
	repo.git(nil, "mktree")
	id := string(bytes.Repeat([]byte{7}, 20))
	repo.write("tree", "100664 old-mode\x00"+id)
	repo.write("tree", "100644 \xff\n\x00"+id)
}

// trickyTree returns the entries that order and mode make tricky, also as git
// mktree -z reads them.
func trickyTree(repo repository) (listing string, entries []object.Entry) {
	blob := repo.write("blob", "content\n")
	dir := repo.line(fmt.Appendf(nil, "100644 blob %s\tf\n", blob), "mktree")
	for _, e := range []struct {
		mode object.Mode
		name string
	}{
		{object.ModeDir, "a"}, {object.ModeRegular, "a.b"}, {object.ModeExecutable, "a-b"}, {object.ModeSymlink, "a0"},
		{object.ModeSubmodule, "a.c"}, {object.ModeDir, "ab"}, {object.ModeRegular, "ab.x"}, {object.ModeRegular, "ab0"},
		{object.ModeRegular, "b"}, {object.ModeDir, "b.d"}, {object.ModeDir, "b-d"}, {object.ModeDir, "b0"},
		{object.ModeRegular, "\xff"}, {object.ModeRegular, " "}, {object.ModeDir, "\x01"}, {object.ModeRegular, "n\nl"},
	} {
		kind, name := "blob", blob
		switch e.mode {
		case object.ModeDir:
			kind, name = "tree", dir
		case object.ModeSubmodule:
			kind, name = "commit", strings.Repeat("12", 20)
		}
		id, err := object.ParseID([]byte(name))
		if err != nil {
			repo.Fatal(err)
		}
		listing += fmt.Sprintf("%06o %s %s\t%s\x00", e.mode, kind, name, e.name)
		entries = append(entries, object.Entry{Mode: e.mode, Name: e.name, ID: id})
	}
	return listing, entries
}

// reencode parses an object and encodes what was parsed.
func reencode(kind object.Type, content []byte) ([]byte, error) {
	switch kind {
	case object.CommitType:
		c, err := object.ParseCommit(content)
		if err != nil {
			return nil, err
		}
		return c.Encode(), nil
	case object.TagType:
		t, err := object.ParseTag(content)
		if err != nil {
			return nil, err
		}
		return t.Encode(), nil
	case object.TreeType:
		entries, err := object.ParseTree(content)
		if err != nil {
			return nil, err
		}
		return object.EncodeTree(entries), nil
	}
	return content, nil
}
