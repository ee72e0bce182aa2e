package main

const informer = `
{{- $t := .types}}
{{- with .kind}}
// {{.Name}}Informer has the shared informer of {{.Plural}}, and a lister that reads its store.
type {{.Name}}Informer interface {
	Informer() {{$t.SharedIndexInformer|raw}}
	Lister() {{$.Lister|raw}}
}

type {{.Private}}Informer struct {
	factory {{$t.Factory|raw}}
	tweak {{$t.Tweak|raw}}
	{{- if .Namespaced}}
	namespace string
	{{- end}}
}

// New{{.Name}}Informer returns an informer of {{.Plural}} that nothing else shares. Parts of
// a program that all need one take it from a factory.
func New{{.Name}}Informer(client {{$t.Interface|raw}}, {{if .Namespaced}}namespace string, {{end}}resyncPeriod {{$t.Duration|raw}}, indexers {{$t.Indexers|raw}}) {{$t.SharedIndexInformer|raw}} {
	return New{{.Name}}InformerWithOptions(client, {{if .Namespaced}}namespace, {{end}}{{$t.InformerOptions|raw}}{
		ResyncPeriod: resyncPeriod, Indexers: indexers,
	})
}

// NewFiltered{{.Name}}Informer is [New{{.Name}}Informer] with a function that changes the options of
// every list and watch.
func NewFiltered{{.Name}}Informer(client {{$t.Interface|raw}}, {{if .Namespaced}}namespace string, {{end}}resyncPeriod {{$t.Duration|raw}}, indexers {{$t.Indexers|raw}}, tweakListOptions {{$t.Tweak|raw}}) {{$t.SharedIndexInformer|raw}} {
	return New{{.Name}}InformerWithOptions(client, {{if .Namespaced}}namespace, {{end}}{{$t.InformerOptions|raw}}{
		ResyncPeriod: resyncPeriod, Indexers: indexers, TweakListOptions: tweakListOptions,
	})
}

// New{{.Name}}InformerWithOptions is [New{{.Name}}Informer] with options.
func New{{.Name}}InformerWithOptions(client {{$t.Interface|raw}}, {{if .Namespaced}}namespace string, {{end}}options {{$t.InformerOptions|raw}}) {{$t.SharedIndexInformer|raw}} {
	source := {{$t.Source|raw}}(func() {{$t.Client|raw}}[*{{$.List|raw}}] {
		return client.{{$.version.GoGroup}}{{$.version.GoName}}().{{.Plural}}({{if .Namespaced}}namespace{{end}})
	}, options.TweakListOptions, client)
	return {{$t.NewSharedIndexInformer|raw}}(source, &{{.Type|raw}}{}, {{$t.SharedIndexInformerOptions|raw}}{
		ResyncPeriod: options.ResyncPeriod,
		Indexers: options.Indexers,
		Identifier: options.InformerName.WithResource({{$.SchemeGroupVersion|raw}}.WithResource("{{.Resource}}")),
	})
}

func (i *{{.Private}}Informer) make(client {{$t.Interface|raw}}, resyncPeriod {{$t.Duration|raw}}) {{$t.SharedIndexInformer|raw}} {
	return New{{.Name}}InformerWithOptions(client, {{if .Namespaced}}i.namespace, {{end}}{{$t.InformerOptions|raw}}{
		ResyncPeriod: resyncPeriod,
		Indexers: {{$t.Indexers|raw}}{ {{- $t.NamespaceIndex|raw}}: {{$t.MetaNamespaceIndexFunc|raw}}},
		InformerName: i.factory.InformerName(),
		TweakListOptions: i.tweak,
	})
}

func (i *{{.Private}}Informer) Informer() {{$t.SharedIndexInformer|raw}} {
	return i.factory.InformerFor(&{{.Type|raw}}{}, i.make)
}

func (i *{{.Private}}Informer) Lister() {{$.Lister|raw}} {
	return {{$.NewLister|raw}}(i.Informer().GetIndexer())
}
{{- end}}
`

const versionInterface = `
{{- $t := .types}}
// Interface has the informer of each kind.
type Interface interface {
	{{- range .version.Kinds}}
	{{.Plural}}() {{.Name}}Informer
	{{- end}}
}

type version struct {
	factory {{$t.Factory|raw}}
	namespace string
	tweak {{$t.Tweak|raw}}
}

// New returns the informers of a factory. They know of one namespace, or of all if it
// is empty, and of what they get from the server when a function, if it is not nil, has
// changed the options of lists and watches.
func New(f {{$t.Factory|raw}}, namespace string, tweakListOptions {{$t.Tweak|raw}}) Interface {
	return &version{f, namespace, tweakListOptions}
}
{{range .version.Kinds}}
func (v *version) {{.Plural}}() {{.Name}}Informer {
	return &{{.Private}}Informer{v.factory, v.tweak{{if .Namespaced}}, v.namespace{{end}}}
}
{{end}}
`

const groupInterface = `
{{- $t := .types}}
// Interface has the informers of each version.
type Interface interface {
	{{- range .group.Versions}}
	{{.GoName}}() {{raw (call $.in .Dir "Interface")}}
	{{- end}}
}

type group struct {
	factory {{$t.Factory|raw}}
	namespace string
	tweak {{$t.Tweak|raw}}
}

// New returns the informers of a factory. They know of one namespace, or of all if it
// is empty, and of what they get from the server when a function, if it is not nil, has
// changed the options of lists and watches.
func New(f {{$t.Factory|raw}}, namespace string, tweakListOptions {{$t.Tweak|raw}}) Interface {
	return &group{f, namespace, tweakListOptions}
}
{{range .group.Versions}}
func (g *group) {{.GoName}}() {{raw (call $.in .Dir "Interface")}} {
	return {{raw (call $.in .Dir "New")}}(g.factory, g.namespace, g.tweak)
}
{{end}}
`

const factory = `
{{- $t := .types}}
// SharedInformerFactory has an informer of each kind, which all callers share. All
// methods can be called at the same time.
type SharedInformerFactory interface {
	{{$t.Factory|raw}}

	// Start is StartWithContext, until the channel is closed.
	Start(stopCh <-chan struct{})

	// StartWithContext starts the informers that were asked for and not started
	// before. They run until the context ends. It does not wait for anything.
	StartWithContext(ctx {{$t.Context|raw}})

	// Shutdown has Start do nothing any more, and returns when none of the
	// informers runs. The contexts and channels that they were started with must
	// end for that, before the call or during it.
	Shutdown()

	// WaitForCacheSync is WaitForCacheSyncWithContext, until the channel is closed,
	// and returns which informers have their first list.
	WaitForCacheSync(stopCh <-chan struct{}) map[{{$t.Type|raw}}]bool

	// WaitForCacheSyncWithContext waits until all informers that were started have
	// their first list, or the context ends. What it returns tells which have it,
	// and has an error if not all do. Handlers may still have to be told: their
	// registrations can be waited for, too.
	WaitForCacheSyncWithContext(ctx {{$t.Context|raw}}) {{$t.SyncResult|raw}}

	// ForResource returns the informer of a resource, such as pods, or an error if
	// it is not one of the built-in ones.
	ForResource(resource {{$t.GroupVersionResource|raw}}) (GenericInformer, error)

	// InformerFor returns the informer of objects like obj, and has newFunc make it
	// of the factory's client if there is none. It is for kinds that the methods
	// below do not have.
	InformerFor(obj {{$t.Object|raw}}, newFunc {{$t.NewInformerFunc|raw}}) {{$t.SharedIndexInformer|raw}}
	{{range .groups}}
	{{.GoGroup}}() {{raw (call $.in .GroupDir "Interface")}}
	{{- end}}
}
{{range .groups}}
func (f *sharedInformerFactory) {{.GoGroup}}() {{raw (call $.in .GroupDir "Interface")}} {
	return {{raw (call $.in .GroupDir "New")}}(f, f.namespace, f.tweak)
}
{{end}}

func (f *sharedInformerFactory) ForResource(resource {{$t.GroupVersionResource|raw}}) (GenericInformer, error) {
	var informer interface{ Informer() {{$t.SharedIndexInformer|raw}} }
	switch resource {
	{{- range $g := .groups}}
	{{- range $v := .Versions}}
	{{- range .Kinds}}
	case {{$t.GroupVersionResource|raw}}{Group: "{{$v.Group}}", Version: "{{$v.Name}}", Resource: "{{.Resource}}"}:
		informer = f.{{$g.GoGroup}}().{{$v.GoName}}().{{.Plural}}()
	{{- end}}
	{{- end}}
	{{- end}}
	default:
		return nil, {{$t.Errorf|raw}}("there is no informer of %v", resource)
	}
	return generic(informer.Informer(), resource.GroupResource()), nil
}
`
