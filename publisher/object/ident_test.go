package object_test

import (
	"fmt"
	"testing"

	"k8s.io/publisher/object"
)

// TestIdentTimeIsGits asks git for the date of committers of every oddity.
func TestIdentTimeIsGits(t *testing.T) {
	repo := newRepository(t)
	tree := repo.write("tree", "")
	for ident, stamp := range map[string]string{
		"C <c> 12 +0000":                   "12 +0000",
		"C <c> -12 +0000":                  "",
		"C <c>":                            "",
		"C <c> 15":                         "",
		"C <c> 15 0000":                    "",
		"C <c> 15 +":                       "",
		"C <c> 15+0100":                    "15 +0100",
		"C <c>15 +0100":                    "15 +0100",
		"C <c>   17 \t +0100 ":             "17 +0100",
		"C <c> 17 -0100 x":                 "17 -0100",
		"C <c> 17 +051800":                 "17 +051800",
		"C <c> 17x +0100":                  "",
		"C <c <d> 5 +0000":                 "5 +0000",
		"C <c> d> 5 +0000":                 "5 +0000",
		"C c 5 +0000":                      "",
		"C <c> 9223372036854775807 +0000":  "9223372036854775807 +0000",
		"C <c> 99999999999999999999 +0000": "99999999999999999999 +0000",
	} {
		commit := repo.write("commit", fmt.Sprintf("tree %s\nauthor A <a> 1 +0000\ncommitter %s\n\nm\n", tree, ident))
		want := repo.line(nil, "show", "--no-patch", "--format=%ct", commit)
		got, err := object.IdentStamp([]byte(ident))
		if string(got) != stamp || (err == nil) != (stamp != "") {
			t.Errorf("IdentStamp(%q) = %q, %v; want %q", ident, got, err, stamp)
		}
		seconds := ""
		if date, err := object.IdentTime([]byte(ident)); err == nil {
			seconds = fmt.Sprint(date.Unix())
		}
		if seconds != want && len(want) < 20 {
			t.Errorf("IdentTime(%q) is %s, git says %s", ident, seconds, want)
		}
	}
}
