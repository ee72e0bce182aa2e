package monorepo

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

// render returns the content of a file at a version. Successive versions
// differ in a few lines, as edits do; that is what packs are tuned for.
func (l *layout) render(index int, version uint16) string {
	f := l.files[index]
	switch f.kind {
	case goDoc:
		return renderDoc(f)
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
		// Edits go round the functions, three at a version.
		edits := (3*int(version) + functions - 1 - i) / functions
		noun, verb := nouns[(f.number+i)%len(nouns)], verbs[(f.number+i)%len(verbs)]
		fmt.Fprintf(&b, `
// F%[1]dN%[2]d tells how many times to %[4]s a %[3]s of the given weight.
// %[8]s
func F%[1]dN%[2]d(weight int) int {
	count := %[5]d
	for %[3]s := 0; %[3]s < weight; %[3]s++ {
		if %[3]s%%%[6]d == 0 {
			count += %[7]d
		}
	}
	return count
}
`, f.number, i, noun, verb, edits, 2+(f.number+i*3)%11, 1+(f.number*31+i*17)%1000, sentence(f.number, i, edits))
	}
	return b.String()
}

// sentence returns words that are as hard to compress as a writer's.
func sentence(number, part, edits int) string {
	random := rand.New(rand.NewPCG(uint64(number), uint64(part)<<32|uint64(edits)))
	words := make([]string, 16+random.IntN(24))
	for i := range words {
		for range 2 + random.IntN(2) {
			words[i] += syllables[random.IntN(len(syllables))]
		}
	}
	return strings.Join(words, " ") + "."
}

var syllables = strings.Fields("ba be con da de ex fo ga in ke la lo ma mi no or pa per qui ra re sa sto ta ter un ve wa yo zi")

func renderProse(f file, version uint16) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", path.Base(f.path))
	paragraphs := 8 + f.number*5%20
	for i := range paragraphs {
		edits := (3*int(version) + paragraphs - 1 - i) / paragraphs
		fmt.Fprintf(&b, "\nTo %s a %s, first %s the %s. Revision %d of this advice; see section %d. %s\n",
			verbs[(i+f.number)%len(verbs)], nouns[i%len(nouns)], verbs[(i+3)%len(verbs)], nouns[(i*3+f.number)%len(nouns)], edits, i,
			sentence(f.number, i, edits))
	}
	return b.String()
}

// requirement is a module from elsewhere, at a version.
type requirement struct{ path, version string }

// required lists what module m requires from elsewhere, when that was raised so
// many times: one of them at a time, and in all modules at once. A module
// requires what the lower ones do, and more.
// Nothing imports them, so that the modules build without a network.
func (l *layout) required(m int, bumps uint16) []requirement {
	total := l.shape.thirdParty
	all := make([]requirement, total/2+m*total/(2*l.shape.modules))
	for i := range all {
		all[i].path = fmt.Sprintf("example.test/third/%s-%s", nouns[i%len(nouns)], verbs[i%len(verbs)])
		all[i].version = fmt.Sprintf("v1.%d.%d", i, (int(bumps)+total-1-i)/total)
	}
	slices.SortFunc(all, func(a, b requirement) int { return strings.Compare(a.path, b.path) })
	return all
}

func (l *layout) renderSum(m int, s state) string {
	var b strings.Builder
	for _, r := range l.required(m, s.bumps) {
		for _, suffix := range []string{"", "/go.mod"} {
			sum := sha256.Sum256([]byte(r.path + r.version + suffix))
			fmt.Fprintf(&b, "%s %s%s h1:%s\n", r.path, r.version, suffix, base64.StdEncoding.EncodeToString(sum[:]))
		}
	}
	return b.String()
}

// renderMod returns module m's go.mod: what it imports, then what only its
// dependencies import, each replaced by its neighbour directory.
func (l *layout) renderMod(m int, s state) string {
	var b strings.Builder
	fmt.Fprintf(&b, "module %s\n\ngo 1.22\n\nrequire (\n", modulePath(m))
	direct, closure := s.edges.direct(m), s.edges.closure(m)
	for _, d := range direct {
		fmt.Fprintf(&b, "\t%s v0.0.0\n", modulePath(d))
	}
	for _, r := range l.required(m, s.bumps) {
		fmt.Fprintf(&b, "\t%s %s\n", r.path, r.version)
	}
	b.WriteString(")\n")
	if len(closure) == 0 {
		return b.String()
	}
	if len(closure) > len(direct) {
		b.WriteString("\nrequire (\n")
		for _, d := range closure {
			if !slices.Contains(direct, d) {
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
func (l *layout) renderImports(m int, s state) string {
	direct := s.edges.direct(m)
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
