package monorepo

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"strings"
)

// render returns the content of a file at a version. Successive versions
// differ in a few lines, as edits do; that is what packs are tuned for.
func (l *layout) render(index int, version uint16) string {
	f := l.files[index]
	switch f.kind {
	case goDoc:
		return renderDoc(f)
	case goSum:
		return renderSum(f, version)
	case prose:
		return renderProse(f, version)
	case rootMod:
		return "module example.test/monorepo\n\ngo 1.22\n"
	default:
		return renderCode(f, version)
	}
}

// packageName gives commands their own, as any package under cmd/ may be
// imported by none.
func packageName(f file) string {
	name := path.Base(path.Dir(f.path))
	return strings.ReplaceAll(name, "-", "")
}

func renderDoc(f file) string {
	name := packageName(f)
	text := fmt.Sprintf("// Package %s is part of the generated monorepo.\npackage %s\n", name, name)
	if f.owner >= 0 && path.Dir(f.path) == ModuleDir(f.owner) {
		text += fmt.Sprintf("\n// Name is the module's own name.\nconst Name = %q\n", ModuleName(f.owner))
	}
	return text
}

func renderCode(f file, version uint16) string {
	var b strings.Builder
	functions := 4 + f.number*7%25
	fmt.Fprintf(&b, "package %s\n", packageName(f))
	for i := range functions {
		// Edits go round the functions, one at a version.
		edits := (int(version) + functions - 1 - i) / functions
		noun, verb := nouns[(f.number+i)%len(nouns)], verbs[(f.number+i)%len(verbs)]
		fmt.Fprintf(&b, `
// F%[1]dN%[2]d tells how many times to %[4]s a %[3]s of the given weight.
func F%[1]dN%[2]d(weight int) int {
	count := %[5]d
	for %[3]s := 0; %[3]s < weight; %[3]s++ {
		if %[3]s%%%[6]d == 0 {
			count += %[7]d
		}
	}
	return count
}
`, f.number, i, noun, verb, edits, 2+(f.number+i*3)%11, 1+(f.number*31+i*17)%1000)
	}
	return b.String()
}

func renderProse(f file, version uint16) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", path.Base(f.path))
	paragraphs := 8 + f.number*5%20
	for i := range paragraphs {
		edits := (int(version) + paragraphs - 1 - i) / paragraphs
		fmt.Fprintf(&b, "\nTo %s a %s, first %s the %s. Revision %d of this advice; see section %d.\n",
			verbs[(i+f.number)%len(verbs)], nouns[i%len(nouns)], verbs[(i+3)%len(verbs)], nouns[(i*3+f.number)%len(nouns)], edits, i)
	}
	return b.String()
}

// thirdParty are the modules whose checksums stand in go.sum. Nothing
// requires them, so that the modules build without a network.
var thirdParty = []string{"example.test/third/errors", "example.test/third/log", "example.test/third/net", "example.test/third/proto", "example.test/third/text"}

func renderSum(f file, version uint16) string {
	var b strings.Builder
	for i, name := range thirdParty {
		bumps := (int(version) + len(thirdParty) - 1 - i) / len(thirdParty)
		release := fmt.Sprintf("v1.%d.%d", f.owner, bumps)
		for _, suffix := range []string{"", "/go.mod"} {
			sum := sha256.Sum256([]byte(name + release + suffix))
			fmt.Fprintf(&b, "%s %s%s h1:%s\n", name, release, suffix, base64.StdEncoding.EncodeToString(sum[:]))
		}
	}
	return b.String()
}

// renderMod returns module m's go.mod: what it imports, then what only its
// dependencies import, each replaced by its neighbour directory.
func renderMod(m int, e edges) string {
	var b strings.Builder
	fmt.Fprintf(&b, "module %s\n\ngo 1.22\n", modulePath(m))
	direct, closure := e.direct(m), e.closure(m)
	if len(closure) == 0 {
		return b.String()
	}
	isDirect := map[int]bool{}
	b.WriteString("\nrequire (\n")
	for _, d := range direct {
		isDirect[d] = true
		fmt.Fprintf(&b, "\t%s v0.0.0\n", modulePath(d))
	}
	b.WriteString(")\n")
	if len(closure) > len(direct) {
		b.WriteString("\nrequire (\n")
		for _, d := range closure {
			if !isDirect[d] {
				fmt.Fprintf(&b, "\t%s v0.0.0 // indirect\n", modulePath(d))
			}
		}
		b.WriteString(")\n")
	}
	b.WriteString("\nreplace (\n")
	for _, d := range closure {
		fmt.Fprintf(&b, "\t%s => ../%s\n", modulePath(d), ModuleName(d))
	}
	b.WriteString(")\n")
	return b.String()
}

// renderImports returns the file that makes module m's requirements real.
func renderImports(m int, e edges) string {
	direct := e.direct(m)
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n", ModuleName(m))
	if len(direct) > 0 {
		b.WriteString("\nimport (\n")
		for _, d := range direct {
			fmt.Fprintf(&b, "\t%q\n", modulePath(d))
		}
		b.WriteString(")\n")
	}
	b.WriteString("\n// Needs names the modules that this one imports.\nvar Needs = []string{")
	for i, d := range direct {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s.Name", ModuleName(d))
	}
	b.WriteString("}\n")
	return b.String()
}
