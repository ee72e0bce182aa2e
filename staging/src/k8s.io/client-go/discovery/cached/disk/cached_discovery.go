package disk

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/internal/atomicfile"
	"k8s.io/client-go/openapi/documents"
	restclient "k8s.io/client-go/rest"
)

// CachedDiscoveryClient reads from the discovery cache, and asks the server
// for what is missing there or too old. It may be used by any number of
// goroutines.
type CachedDiscoveryClient struct {
	delegate discovery.CachedDiscoveryInterface
	dir      string
	ttl      time.Duration

	mu sync.Mutex
	// When the delegate began to remember what it is asked.
	asked time.Time
	// Which files this client has written since it was made or invalidated.
	ours map[string]bool
	// Since an invalidation only our own files count.
	invalidated bool
	// Nothing that was returned came from somebody else's file.
	fresh bool
}

var _ discovery.CachedDiscoveryInterface = (*CachedDiscoveryClient)(nil)

// NewCachedDiscoveryClientForConfig returns a client for the server that
// config describes. discoveryCacheDir is the directory of the discovery cache,
// or empty for the current one; a file there is good for ttl. httpCacheDir is
// the directory of the HTTP cache. If it is empty there is no such cache.
// config stays as it is.
func NewCachedDiscoveryClientForConfig(config *restclient.Config, discoveryCacheDir, httpCacheDir string, ttl time.Duration) (*CachedDiscoveryClient, error) {
	if httpCacheDir != "" {
		config = restclient.CopyConfig(config)
		config.Wrap(func(below http.RoundTripper) http.RoundTripper {
			return newCacheRoundTripper(httpCacheDir, below)
		})
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return newCachedDiscoveryClient(client, discoveryCacheDir, ttl), nil
}

// What the disk does not have comes through a cache in memory: where the
// server answers in the aggregated form, two requests fill all files.
func newCachedDiscoveryClient(delegate discovery.DiscoveryInterface, dir string, ttl time.Duration) *CachedDiscoveryClient {
	return &CachedDiscoveryClient{
		delegate: memory.NewMemCacheClient(delegate),
		dir:      dir,
		ttl:      ttl,
		asked:    time.Now(),
		ours:     map[string]bool{},
		fresh:    true,
	}
}

// expire has the delegate forget what it has remembered for longer than a file is
// good for. It is called once for each method, so that one that asks about many
// versions does so at one time.
func (d *CachedDiscoveryClient) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); now.After(d.asked.Add(d.ttl)) {
		d.delegate.Invalidate()
		d.asked = now
	}
}

// unexpired is a client for the time of one call.
type unexpired struct{ *CachedDiscoveryClient }

func (u unexpired) ServerGroups() (*metav1.APIGroupList, error) { return u.serverGroups() }

func (u unexpired) ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error) {
	return u.serverResourcesForGroupVersion(groupVersion)
}

// ServerResourcesForGroupVersion returns the resources of one version.
func (d *CachedDiscoveryClient) ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error) {
	d.expire()
	return d.serverResourcesForGroupVersion(groupVersion)
}

func (d *CachedDiscoveryClient) serverResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error) {
	file := filepath.Join(filepath.FromSlash(groupVersion), "serverresources.json")
	if !filepath.IsLocal(file) {
		// Not a version, but a way out of the directory.
		return d.delegate.ServerResourcesForGroupVersion(groupVersion)
	}
	cached := new(metav1.APIResourceList)
	if d.read(file, cached) && cached.Kind == "APIResourceList" && (cached.GroupVersion == groupVersion || cached.GroupVersion == "") {
		return cached, nil
	}

	live, err := d.delegate.ServerResourcesForGroupVersion(groupVersion)
	if err != nil || live == nil || len(live.APIResources) == 0 {
		// It may be empty because it is not ready yet: ask again next time.
		return live, err
	}
	labelled := *live
	labelled.Kind, labelled.APIVersion = "APIResourceList", "v1"
	d.write(file, &labelled)
	return live, nil
}

// ServerGroups returns the groups.
func (d *CachedDiscoveryClient) ServerGroups() (*metav1.APIGroupList, error) {
	d.expire()
	return d.serverGroups()
}

func (d *CachedDiscoveryClient) serverGroups() (*metav1.APIGroupList, error) {
	const file = "servergroups.json"
	cached := new(metav1.APIGroupList)
	if d.read(file, cached) && cached.Kind == "APIGroupList" {
		return cached, nil
	}

	live, err := d.delegate.ServerGroups()
	if err != nil || live == nil || len(live.Groups) == 0 {
		return live, err
	}
	labelled := *live
	labelled.Kind, labelled.APIVersion = "APIGroupList", "v1"
	d.write(file, &labelled)
	return live, nil
}

// ServerGroupsAndResources returns the groups, and the resources of all their
// versions.
func (d *CachedDiscoveryClient) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	d.expire()
	return discovery.ServerGroupsAndResources(unexpired{d})
}

// ServerPreferredResources returns each resource in the version the server
// prefers.
func (d *CachedDiscoveryClient) ServerPreferredResources() ([]*metav1.APIResourceList, error) {
	d.expire()
	return discovery.ServerPreferredResources(unexpired{d})
}

// ServerPreferredNamespacedResources returns each resource that is in a
// namespace, in the version the server prefers.
func (d *CachedDiscoveryClient) ServerPreferredNamespacedResources() ([]*metav1.APIResourceList, error) {
	d.expire()
	return discovery.ServerPreferredNamespacedResources(unexpired{d})
}

// ServerVersion asks the server, at every call.
func (d *CachedDiscoveryClient) ServerVersion() (*version.Info, error) {
	return d.delegate.ServerVersion()
}

// OpenAPISchema asks the server, at every call. Only the HTTP cache helps.
func (d *CachedDiscoveryClient) OpenAPISchema() (*openapi_v2.Document, error) {
	return d.delegate.OpenAPISchema()
}

// OpenAPIV3 returns a client that remembers, until the next Invalidate, what
// it fetched. Only the HTTP cache outlives the process.
func (d *CachedDiscoveryClient) OpenAPIV3() documents.Client { return d.delegate.OpenAPIV3() }

// RESTClient returns the client that requests go through.
func (d *CachedDiscoveryClient) RESTClient() restclient.Interface { return d.delegate.RESTClient() }

// WithLegacy returns the client itself: what is on disk has no form.
func (d *CachedDiscoveryClient) WithLegacy() discovery.DiscoveryInterface { return d }

// Fresh reports whether all that was returned was learnt from the server by
// this client, since it was made or last invalidated, and not from files that
// were there before.
func (d *CachedDiscoveryClient) Fresh() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fresh
}

// Invalidate makes the client ignore all files that there are. They stay, for
// other processes, until what this one learns replaces them.
func (d *CachedDiscoveryClient) Invalidate() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = time.Now()
	d.ours = map[string]bool{}
	d.invalidated = true
	d.fresh = true
	d.delegate.Invalidate()
}

// read decodes a file, and reports whether it holds something good.
func (d *CachedDiscoveryClient) read(file string, into any) bool {
	d.mu.Lock()
	own, refused := d.ours[file], d.invalidated && !d.ours[file]
	d.mu.Unlock()
	if refused {
		return false
	}
	f, err := os.Open(filepath.Join(d.dir, file))
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || time.Now().After(info.ModTime().Add(d.ttl)) {
		return false
	}
	data := make([]byte, info.Size())
	if n, err := f.ReadAt(data, 0); n < len(data) && err != nil {
		return false
	}
	if json.Unmarshal(data, into) != nil {
		return false
	}
	if !own {
		d.mu.Lock()
		d.fresh = false
		d.mu.Unlock()
	}
	return true
}

// write puts value into a file. It is not an error if that fails: the next
// one who wants it asks the server again.
func (d *CachedDiscoveryClient) write(file string, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		return
	}
	if writeFile(filepath.Join(d.dir, file), data) != nil {
		return
	}
	d.mu.Lock()
	d.ours[file] = true
	d.mu.Unlock()
}

const dirMode fs.FileMode = 0o750

// writeFile replaces a file at once, so that nobody ever sees half of it.
func writeFile(path string, data []byte) error {
	f, err := atomicfile.Begin(path, dirMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return f.Commit(err)
}
