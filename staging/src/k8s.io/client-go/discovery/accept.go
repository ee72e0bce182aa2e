package discovery

import (
	"mime"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The media types of the forms of discovery. The order of the parameters
// matters: servers compare the text.
const (
	// AcceptV1 is the older form.
	AcceptV1 = runtime.ContentTypeJSON
	// AcceptV2Beta1 is the aggregated form of Kubernetes 1.26 to 1.29.
	AcceptV2Beta1 = runtime.ContentTypeJSON + ";" + "g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
	// AcceptV2 is the aggregated form since Kubernetes 1.30.
	AcceptV2 = runtime.ContentTypeJSON + ";" + "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
	// AcceptV2NoPeer is AcceptV2 with what the server itself serves only.
	AcceptV2NoPeer = runtime.ContentTypeJSON + ";" + "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer"

	acceptAggregated       = AcceptV2 + "," + AcceptV2Beta1 + "," + AcceptV1
	acceptAggregatedNoPeer = AcceptV2NoPeer + "," + acceptAggregated
)

func (d *DiscoveryClient) accept() string {
	switch {
	case d.UseLegacyDiscovery:
		return AcceptV1
	case d.NoPeerDiscovery:
		return acceptAggregatedNoPeer
	}
	return acceptAggregated
}

// ContentTypeIsGVK reports whether contentType is JSON whose parameters g, v
// and as name gvk. Their order does not matter, and neither do parameters that
// something on the way has added. The error says that contentType is
// malformed.
func ContentTypeIsGVK(contentType string, gvk schema.GroupVersionKind) (bool, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false, err
	}
	named := schema.GroupVersionKind{Group: params["g"], Version: params["v"], Kind: params["as"]}
	return media == runtime.ContentTypeJSON && named == gvk, nil
}

// isAggregated reports whether contentType is a form of aggregated discovery.
// Both versions of it look the same in JSON.
func isAggregated(contentType string) bool {
	switch contentType {
	case AcceptV2, AcceptV2Beta1:
		return true
	case AcceptV1:
		return false
	}
	gvk := schema.GroupVersionKind{Group: "apidiscovery.k8s.io", Version: "v2", Kind: "APIGroupDiscoveryList"}
	is, _ := ContentTypeIsGVK(contentType, gvk)
	if !is {
		gvk.Version = "v2beta1"
		is, _ = ContentTypeIsGVK(contentType, gvk)
	}
	return is
}
