package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	// How many documents of the older form are fetched at the same time. It
	// is high because one that times out must not hold up many others.
	parallelFetches = 100

	// How often a version is asked for by the methods of DiscoveryClient.
	attempts = 2
)

// ServerResourcesForGroupVersion returns the resources of one version. A
// server without a core group has an empty "v1".
func (d *DiscoveryClient) ServerResourcesForGroupVersion(groupVersion string) (*metav1.APIResourceList, error) {
	if groupVersion == "" {
		return nil, errors.New("groupVersion shouldn't be empty")
	}
	core := groupVersion == "v1" && d.LegacyPrefix != ""
	path := "/apis/" + groupVersion
	if core {
		path = d.LegacyPrefix + "/" + groupVersion
	}

	list := &metav1.APIResourceList{GroupVersion: groupVersion}
	body, _, err := d.get(path, AcceptV1)
	if core && apierrors.IsNotFound(err) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, list); err != nil {
		return nil, fmt.Errorf("unable to parse what the server serves at %s: %w", path, err)
	}
	return list, nil
}

// ServerGroupsAndResources returns the groups, and the resources of all their
// versions in the order of the groups. A version that cannot be fetched is
// tried a second time.
func (d *DiscoveryClient) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	return groupsAndResources(d, attempts)
}

// ServerPreferredResources returns each resource in the version the server
// prefers. A version that cannot be fetched is tried a second time.
func (d *DiscoveryClient) ServerPreferredResources() ([]*metav1.APIResourceList, error) {
	return preferredResources(d, attempts)
}

// ServerPreferredNamespacedResources returns each resource that is in a
// namespace, in the version the server prefers.
func (d *DiscoveryClient) ServerPreferredNamespacedResources() ([]*metav1.APIResourceList, error) {
	return ServerPreferredNamespacedResources(d)
}

// ServerGroupsAndResources implements the method of the same name by means of
// others of d: those of AggregatedDiscoveryInterface, if d has them. Groups that d
// returns are used even if there is an error with them. It returns nil for both if
// d has no groups to return, and no error.
func ServerGroupsAndResources(d DiscoveryInterface) ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	return groupsAndResources(d, 1)
}

// ServerPreferredResources implements the method of the same name by means of
// others of d: those of AggregatedDiscoveryInterface, if d has them.
func ServerPreferredResources(d DiscoveryInterface) ([]*metav1.APIResourceList, error) {
	return preferredResources(d, 1)
}

// ServerPreferredNamespacedResources implements the method of the same name by
// means of others of d.
func ServerPreferredNamespacedResources(d DiscoveryInterface) ([]*metav1.APIResourceList, error) {
	all, err := ServerPreferredResources(d)
	return FilteredBy(ResourcePredicateFunc(isNamespaced), all), err
}

func isNamespaced(_ string, r *metav1.APIResource) bool { return r.Namespaced }

func groupsAndResources(d DiscoveryInterface, attempts int) ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	p, err := fullPicture(d, attempts)
	if p.groups == nil {
		return nil, nil, err
	}
	groups := make([]*metav1.APIGroup, len(p.groups.Groups))
	lists := make([]*metav1.APIResourceList, 0, len(p.resources))
	for i := range groups {
		groups[i] = &p.groups.Groups[i]
		for _, v := range groups[i].Versions {
			if list := p.resources[schema.GroupVersion{Group: groups[i].Name, Version: v.Version}]; list != nil {
				lists = append(lists, list)
			}
		}
	}
	return groups, lists, p.missing()
}

func preferredResources(d DiscoveryInterface, attempts int) ([]*metav1.APIResourceList, error) {
	p, err := fullPicture(d, attempts)
	if err != nil {
		return nil, err
	}
	if p.groups == nil {
		return []*metav1.APIResourceList{}, nil
	}
	lists := make([]*metav1.APIResourceList, 0, len(p.resources))
	for i := range p.groups.Groups {
		group := &p.groups.Groups[i]
		home := p.homes(group)
		for _, v := range group.Versions {
			all := p.resources[schema.GroupVersion{Group: group.Name, Version: v.Version}]
			if all == nil {
				continue
			}
			kept := &metav1.APIResourceList{GroupVersion: v.GroupVersion}
			for _, r := range all.APIResources {
				if !strings.Contains(r.Name, "/") && home[r.Name] == v.Version {
					kept.APIResources = append(kept.APIResources, r)
				}
			}
			lists = append(lists, kept)
		}
	}
	return lists, p.missing()
}

// homes returns the version in which each resource of a group is to be listed:
// the preferred one if it is there, or else the first that has it.
func (p picture) homes(group *metav1.APIGroup) map[string]string {
	home := map[string]string{}
	for _, v := range group.Versions {
		list := p.resources[schema.GroupVersion{Group: group.Name, Version: v.Version}]
		if list == nil {
			continue
		}
		preferred := v.Version == group.PreferredVersion.Version
		for i := range list.APIResources {
			name := list.APIResources[i].Name
			if _, taken := home[name]; preferred || !taken {
				home[name] = v.Version
			}
		}
	}
	return home
}

func (p picture) missing() error {
	if len(p.failed) == 0 {
		return nil
	}
	return &ErrGroupDiscoveryFailed{Groups: p.failed}
}

// fullPicture finds out about the resources, in one go if d can. It has no groups
// only if d returns none. An error is that of d.
func fullPicture(d DiscoveryInterface, attempts int) (picture, error) {
	var p picture
	var err error
	if aggregated, ok := d.(AggregatedDiscoveryInterface); ok {
		p.groups, p.resources, p.failed, err = aggregated.GroupsAndMaybeResources()
	} else {
		p.groups, err = d.ServerGroups()
	}
	if p.groups == nil {
		return picture{}, err
	}
	if p.resources == nil {
		// What the aggregated half of an answer called stale has been left
		// out of the groups; it is reported with what fails from here on.
		stale := p.failed
		p.resources, p.failed = fetchVersions(d, p.groups, attempts)
		for gv, err := range stale {
			p.failed[gv] = err
		}
	}
	return p, err
}

// fetchVersions fetches the resources of all versions of groups, many at a
// time, and tries again those that fail.
func fetchVersions(d DiscoveryInterface, groups *metav1.APIGroupList, attempts int) (map[schema.GroupVersion]*metav1.APIResourceList, map[schema.GroupVersion]error) {
	var due []schema.GroupVersion
	for _, group := range groups.Groups {
		for _, v := range group.Versions {
			due = append(due, schema.GroupVersion{Group: group.Name, Version: v.Version})
		}
	}

	var mu sync.Mutex
	found := make(map[schema.GroupVersion]*metav1.APIResourceList, len(due))
	failed := map[schema.GroupVersion]error{}
	for range attempts {
		clear(failed)
		var running sync.WaitGroup
		slots := make(chan struct{}, parallelFetches)
		for _, gv := range due {
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				list, err := d.ServerResourcesForGroupVersion(gv.String())
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed[gv] = err
				}
				if list != nil {
					// Even with an error there may be something in it.
					found[gv] = list
				}
			})
		}
		running.Wait()
		due = due[:0]
		for gv := range failed {
			due = append(due, gv)
		}
		if len(due) == 0 {
			break
		}
	}
	return found, failed
}
