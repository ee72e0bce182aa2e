package clientcmd

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	restclient "k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ModifyConfig writes what newConfig has that configAccess's config has not,
// and removes what it has not:
//
//   - a cluster, user or context that was changed or removed, in the file that
//     it came from (its LocationOfOrigin);
//   - a new one, the current context, preferences and extensions in the default
//     file (see [ConfigAccess]);
//   - where the current context was removed, in each file that sets one.
//
// With relativizePaths, paths that are below a file's directory are written
// relative to it; paths in stanzas that are new must then be absolute.
//
// The files are locked meanwhile, see [UseModifyConfigLock]. Each file that
// changes is read and written once.
func ModifyConfig(configAccess ConfigAccess, newConfig clientcmdapi.Config, relativizePaths bool) error {
	if UseModifyConfigLock {
		unlock, err := lockFiles(configAccess.GetLoadingPrecedence())
		if err != nil {
			return err
		}
		defer unlock()
	}
	oldConfig, err := configAccess.GetStartingConfig()
	if err != nil {
		return err
	}
	changes := modification{
		access:     configAccess,
		relativize: relativizePaths,
		files:      map[string]*clientcmdapi.Config{},
	}
	if err := changes.settings(oldConfig, &newConfig); err != nil {
		return err
	}
	if err := modifyStanzas(&changes, clusterStanzas, oldConfig, &newConfig); err != nil {
		return err
	}
	if err := modifyStanzas(&changes, userStanzas, oldConfig, &newConfig); err != nil {
		return err
	}
	if err := modifyStanzas(&changes, contextStanzas, oldConfig, &newConfig); err != nil {
		return err
	}
	return changes.write()
}

// modification collects changes by the files that they go to.
type modification struct {
	access     ConfigAccess
	relativize bool
	files      map[string]*clientcmdapi.Config // those that change
}

// file returns the contents to write to the file.
func (m *modification) file(name string) (*clientcmdapi.Config, error) {
	if config, known := m.files[name]; known {
		return config, nil
	}
	config, err := fileOrEmpty(name)
	if err != nil {
		return nil, fmt.Errorf("error loading config file %q: %w", name, err)
	}
	m.files[name] = config
	return config, nil
}

func (m *modification) write() error {
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		if err := WriteToFile(*m.files[name], name); err != nil {
			return err
		}
	}
	return nil
}

// settings changes all that is not a stanza of its own.
func (m *modification) settings(oldConfig, newConfig *clientcmdapi.Config) error {
	if newConfig.CurrentContext != oldConfig.CurrentContext {
		if err := m.currentContext(newConfig.CurrentContext); err != nil {
			return err
		}
	}
	preferences := newConfig.Preferences.Colors != oldConfig.Preferences.Colors ||
		!equal(newConfig.Preferences.Extensions, oldConfig.Preferences.Extensions)
	extensions := !equal(newConfig.Extensions, oldConfig.Extensions)
	if !preferences && !extensions {
		return nil
	}
	config, err := m.file(m.access.GetDefaultFilename())
	if err != nil {
		return err
	}
	if preferences {
		config.Preferences = newConfig.Preferences
	}
	if extensions {
		config.Extensions = newConfig.Extensions
	}
	return nil
}

// currentContext sets the current context where it hides those of other files,
// or removes it everywhere.
func (m *modification) currentContext(name string) error {
	if name != "" {
		config, err := m.file(m.access.GetDefaultFilename())
		if err == nil {
			config.CurrentContext = name
		}
		return err
	}
	for _, file := range m.access.GetLoadingPrecedence() {
		if file == "" {
			continue
		}
		content, err := LoadFromFile(file)
		if os.IsNotExist(err) || err == nil && content.CurrentContext == "" {
			continue
		}
		config, err := m.file(file)
		if err != nil {
			return err
		}
		config.CurrentContext = ""
	}
	return nil
}

// stanzas is how to deal with one kind of stanzas.
type stanzas[V any] struct {
	of         func(*clientcmdapi.Config) *map[string]*V
	origin     func(*V) *string
	extensions func(*V) *map[string]runtime.Object
	relativize func(*V) error
}

var (
	clusterStanzas = stanzas[clientcmdapi.Cluster]{
		of:         func(c *clientcmdapi.Config) *map[string]*clientcmdapi.Cluster { return &c.Clusters },
		origin:     func(c *clientcmdapi.Cluster) *string { return &c.LocationOfOrigin },
		extensions: func(c *clientcmdapi.Cluster) *map[string]runtime.Object { return &c.Extensions },
		relativize: RelativizeClusterLocalPaths,
	}
	userStanzas = stanzas[clientcmdapi.AuthInfo]{
		of:         func(c *clientcmdapi.Config) *map[string]*clientcmdapi.AuthInfo { return &c.AuthInfos },
		origin:     func(u *clientcmdapi.AuthInfo) *string { return &u.LocationOfOrigin },
		extensions: func(u *clientcmdapi.AuthInfo) *map[string]runtime.Object { return &u.Extensions },
		relativize: RelativizeAuthInfoLocalPaths,
	}
	contextStanzas = stanzas[clientcmdapi.Context]{
		of:         func(c *clientcmdapi.Config) *map[string]*clientcmdapi.Context { return &c.Contexts },
		origin:     func(c *clientcmdapi.Context) *string { return &c.LocationOfOrigin },
		extensions: func(c *clientcmdapi.Context) *map[string]runtime.Object { return &c.Extensions },
		relativize: func(*clientcmdapi.Context) error { return nil }, // has no paths
	}
)

func modifyStanzas[V any](m *modification, kind stanzas[V], oldConfig, newConfig *clientcmdapi.Config) error {
	oldStanzas, newStanzas := *kind.of(oldConfig), *kind.of(newConfig)
	destination := func(stanza *V) string {
		if origin := *kind.origin(stanza); origin != "" {
			return origin
		}
		return m.access.GetDefaultFilename()
	}
	for name, stanza := range newStanzas {
		if stanza == nil || sameStanza(kind, oldStanzas[name], stanza) {
			continue
		}
		changed := *stanza
		*kind.origin(&changed) = destination(stanza)
		file, err := m.file(*kind.origin(&changed))
		if err != nil {
			return err
		}
		if m.relativize {
			if err := kind.relativize(&changed); err != nil {
				return err
			}
		}
		(*kind.of(file))[name] = &changed
	}
	for name, stanza := range oldStanzas {
		if newStanzas[name] != nil || stanza == nil {
			continue
		}
		file, err := m.file(destination(stanza))
		if err != nil {
			return err
		}
		delete(*kind.of(file), name)
	}
	return nil
}

// sameStanza tells whether two stanzas are the same in a file. No extensions
// and an empty map of them are.
func sameStanza[V any](kind stanzas[V], a, b *V) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	for _, extensions := range []*map[string]runtime.Object{kind.extensions(&x), kind.extensions(&y)} {
		if len(*extensions) == 0 {
			*extensions = nil
		}
	}
	return reflect.DeepEqual(x, y)
}

func equal(a, b map[string]runtime.Object) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// PersistAuthProviderConfigForUser returns where an authentication plugin keeps
// the settings of that user.
type PersistAuthProviderConfigForUser func(user string) restclient.AuthProviderConfigPersister

// PersisterForUser returns a persister that writes the settings of an
// authentication plugin to the file that the user came from.
func PersisterForUser(configAccess ConfigAccess, user string) restclient.AuthProviderConfigPersister {
	return &persister{configAccess, user}
}

type persister struct {
	configAccess ConfigAccess
	user         string
}

// Persist does nothing if the user, or its plugin, is gone.
func (p *persister) Persist(settings map[string]string) error {
	config, err := p.configAccess.GetStartingConfig()
	if err != nil {
		return err
	}
	user := config.AuthInfos[p.user]
	if user == nil || user.AuthProvider == nil {
		return nil
	}
	user.AuthProvider.Config = settings
	return ModifyConfig(p.configAccess, *config, false)
}
