package discovery

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A picture is what there is to know, as far as it is known.
type picture struct {
	groups    *metav1.APIGroupList
	resources map[schema.GroupVersion]*metav1.APIResourceList // nil if the server did not say
	failed    map[schema.GroupVersion]error
}

// ServerGroups returns the groups. The core group is the first, and its name
// is empty.
func (d *DiscoveryClient) ServerGroups() (*metav1.APIGroupList, error) {
	p, err := d.look()
	return p.groups, err
}

// GroupsAndMaybeResources returns the groups, and the resources if the server
// told of them in both its documents. The map of failures is nil only if there
// is an error.
func (d *DiscoveryClient) GroupsAndMaybeResources() (
	*metav1.APIGroupList,
	map[schema.GroupVersion]*metav1.APIResourceList,
	map[schema.GroupVersion]error,
	error,
) {
	p, err := d.look()
	return p.groups, p.resources, p.failed, err
}

// look fetches the documents of the two roots and lays them together.
func (d *DiscoveryClient) look() (picture, error) {
	core, err := d.root(d.LegacyPrefix, decodeCoreVersions)
	if apierrors.IsNotFound(err) {
		// Servers that extend the API have no core group.
		core, err = newPicture(), nil
	}
	if err != nil {
		return picture{}, err
	}
	named, err := d.root("/apis", decodeGroups)
	if err != nil {
		return picture{}, err
	}

	core.groups.Groups = append(core.groups.Groups, named.groups.Groups...)
	maps.Copy(core.failed, named.failed)
	if core.resources == nil || named.resources == nil {
		// All or nothing, so that no caller has to find out which half it got.
		core.resources = nil
	} else {
		maps.Copy(core.resources, named.resources)
	}
	return core, nil
}

// root fetches the document at path. The older form is decoded by legacy.
func (d *DiscoveryClient) root(path string, legacy func([]byte) (*metav1.APIGroupList, error)) (picture, error) {
	accept := d.accept()
	body, contentType, err := d.get(path, accept)
	if accept != AcceptV1 && apierrors.IsNotAcceptable(err) {
		// The offer included the older form, but not every server reads on.
		body, contentType, err = d.get(path, AcceptV1)
	}
	if err != nil {
		return picture{}, err
	}
	var p picture
	if isAggregated(contentType) {
		p, err = decodeAggregated(body)
	} else {
		p.failed = map[schema.GroupVersion]error{}
		p.groups, err = legacy(body)
	}
	if err != nil {
		return picture{}, fmt.Errorf("unable to parse what the server serves at %s: %w", path, err)
	}
	return p, nil
}

func (d *DiscoveryClient) get(path, accept string) (body []byte, contentType string, err error) {
	result := d.restClient.Get().AbsPath(path).SetHeader("Accept", accept).Do(context.Background())
	body, err = result.ContentType(&contentType).Raw()
	if err != nil {
		// This one has in it what the server said about the failure.
		return nil, "", result.Error()
	}
	return body, contentType, nil
}

// decodeCoreVersions decodes the older form of /api, which has the versions of
// the core group only.
func decodeCoreVersions(body []byte) (*metav1.APIGroupList, error) {
	var served metav1.APIVersions
	if err := json.Unmarshal(body, &served); err != nil {
		return nil, err
	}
	list := &metav1.APIGroupList{}
	if len(served.Versions) == 0 {
		return list, nil
	}
	var core metav1.APIGroup
	for _, v := range served.Versions {
		core.Versions = append(core.Versions, metav1.GroupVersionForDiscovery{GroupVersion: v, Version: v})
	}
	core.PreferredVersion = core.Versions[0]
	list.Groups = []metav1.APIGroup{core}
	return list, nil
}

func decodeGroups(body []byte) (*metav1.APIGroupList, error) {
	list := &metav1.APIGroupList{}
	if err := json.Unmarshal(body, list); err != nil {
		return nil, err
	}
	return list, nil
}
