package apichange

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"strconv"
	"strings"

	"golang.org/x/mod/module"
)

// use is a name of an imported package that a file has, and what that must be so that the
// file makes sense.
type use struct {
	name  string
	kind  kind
	arity int // of type arguments
}

type kind int

const (
	anyType    kind = iota
	text            // the type of a constant that is a string
	number          // the type of a constant that is a number
	interface_      // embedded in an interface, or a constraint
)

// simplify leaves out what says nothing of the API, and has expressions that name other
// packages not be evaluated: a variable without a type gets one that stands for its
// value. What is left of the file of other packages are types.
func (f *file) simplify(elsewhere func(imported string) bool) {
	imports := make(map[string]string) // by the name in the file
	for _, spec := range f.ast.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := packageName(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = imported
	}
	f.uses = make(map[string][]use)
	selector := func(e ast.Expr) (imported, name string, ok bool) {
		s, ok := e.(*ast.SelectorExpr)
		if !ok {
			return "", "", false
		}
		x, ok := s.X.(*ast.Ident)
		if !ok || imports[x.Name] == "" {
			return "", "", false
		}
		return imports[x.Name], s.Sel.Name, true
	}
	note := func(e ast.Expr, k kind, arity int) {
		if imported, name, ok := selector(e); ok {
			f.uses[imported] = append(f.uses[imported], use{name, k, arity})
		}
	}
	// foreign returns the first name of another module's package in an expression, or nil.
	foreign := func(e ast.Expr) (found ast.Expr) {
		ast.Inspect(e, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && found == nil {
				if imported, _, ok := selector(s); ok && elsewhere(imported) {
					found = s
				}
			}
			return found == nil
		})
		return found
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if n, ok := n.(*ast.FuncLit); ok {
			n.Body = new(ast.BlockStmt)
		}
		return true
	})
	var decls []ast.Decl
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			d.Body = new(ast.BlockStmt) // a generic function needs one
		case *ast.GenDecl:
			if d.Tok == token.CONST {
				named := &ast.GenDecl{Tok: token.VAR}
				d.Specs, named.Specs = constants(d.Specs, foreign, note)
				if len(named.Specs) > 0 {
					decls = append(decls, named)
				}
			} else if d.Tok == token.VAR {
				d.Specs = variables(d.Specs, foreign)
			}
			if len(d.Specs) == 0 {
				continue
			}
		}
		decls = append(decls, d)
	}
	f.ast.Decls = decls
	constraint := func(list *ast.FieldList) {
		if list == nil {
			return
		}
		for _, field := range list.List {
			note(field.Type, interface_, 0)
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			note(n, anyType, 0)
		case *ast.IndexExpr:
			note(n.X, anyType, 1)
		case *ast.IndexListExpr:
			note(n.X, anyType, len(n.Indices))
		case *ast.InterfaceType:
			for _, m := range n.Methods.List {
				if len(m.Names) == 0 {
					note(m.Type, interface_, 0)
				}
			}
		case *ast.TypeSpec:
			constraint(n.TypeParams)
		case *ast.FuncType:
			constraint(n.TypeParams)
		}
		return true
	})
}

// variables gives variables types that need no look at their values, where these are
// of another module.
func variables(specs []ast.Spec, foreign func(ast.Expr) ast.Expr) (all []ast.Spec) {
	for _, s := range specs {
		v := s.(*ast.ValueSpec)
		switch {
		case blank(v):
			continue
		case v.Type != nil:
			v.Values = nil
		case len(v.Names) != len(v.Values):
			for _, value := range v.Values {
				if t := foreign(value); t != nil {
					v.Type, v.Values = t, nil
				}
			}
		default:
			for i, value := range v.Values {
				one := &ast.ValueSpec{Names: v.Names[i : i+1], Values: v.Values[i : i+1]}
				if t := foreign(value); t != nil {
					switch value := value.(type) {
					case *ast.FuncLit:
						t = value.Type
					case *ast.CompositeLit:
						t = value.Type
					}
					one.Type, one.Values = t, nil
				}
				all = append(all, one)
			}
			continue
		}
		all = append(all, v)
	}
	return all
}

// constants takes out those whose values are of another module: they become variables.
func constants(specs []ast.Spec, foreign func(ast.Expr) ast.Expr, note func(ast.Expr, kind, int)) (left, named []ast.Spec) {
	for _, s := range specs {
		v := s.(*ast.ValueSpec)
		var t ast.Expr
		for _, value := range v.Values {
			if t == nil {
				t = foreign(value)
			}
		}
		if t != nil {
			named = append(named, &ast.ValueSpec{Names: v.Names, Type: t})
			continue
		}
		if v.Type != nil && len(v.Values) > 0 {
			k := number
			if lit, ok := v.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				k = text
			}
			note(v.Type, k, 0)
		}
		left = append(left, v)
	}
	return left, named
}

func blank(v *ast.ValueSpec) bool {
	for _, n := range v.Names {
		if n.Name != "_" {
			return false
		}
	}
	return true
}

// packageName is what a package is called whose clause nobody has read.
func packageName(imported string) string {
	prefix, _, ok := module.SplitPathVersion(imported)
	if ok && prefix != "" {
		imported = prefix
	}
	name := path.Base(imported)
	if i := strings.IndexByte(name, '.'); i > 0 { // gopkg.in/yaml.v3
		name = name[:i]
	}
	return strings.TrimPrefix(strings.ReplaceAll(name, "-", ""), "go")
}

// fakes are the packages that are taken by name, with what is known of them.
type fakes struct {
	uses     map[string]map[string]use
	packages map[string]*types.Package
}

func newFakes() *fakes {
	return &fakes{uses: make(map[string]map[string]use), packages: make(map[string]*types.Package)}
}

// note collects what a file of a world names.
func (fs *fakes) note(w *world, f *file) {
	for imported, uses := range f.uses {
		if !w.foreign(imported) {
			continue
		}
		known := fs.uses[imported]
		if known == nil {
			known = make(map[string]use)
			fs.uses[imported] = known
		}
		for _, u := range uses {
			is := known[u.name]
			known[u.name] = use{u.name, max(is.kind, u.kind), max(is.arity, u.arity)}
		}
	}
}

// pkg makes a package of what is named of it.
func (fs *fakes) pkg(imported string) *types.Package {
	if p := fs.packages[imported]; p != nil {
		return p
	}
	p := types.NewPackage(imported, packageName(imported))
	fs.packages[imported] = p
	for _, u := range fs.uses[imported] {
		if !ast.IsExported(u.name) {
			continue
		}
		var underlying types.Type = types.NewStruct(nil, nil)
		switch u.kind {
		case text:
			underlying = types.Typ[types.String]
		case number:
			underlying = types.Typ[types.Int]
		case interface_:
			underlying = types.NewInterfaceType(nil, nil)
		}
		name := types.NewTypeName(token.NoPos, p, u.name, nil)
		named := types.NewNamed(name, nil, nil)
		if u.arity > 0 {
			params := make([]*types.TypeParam, u.arity)
			for i := range params {
				params[i] = types.NewTypeParam(types.NewTypeName(token.NoPos, p, "T"+strconv.Itoa(i), nil), types.Universe.Lookup("any").Type())
			}
			named.SetTypeParams(params)
		}
		named.SetUnderlying(underlying)
		p.Scope().Insert(name)
	}
	p.MarkComplete()
	return p
}
