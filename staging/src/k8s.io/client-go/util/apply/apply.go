// Package apply starts server-side apply requests, for the typed clients and
// for whoever applies something by hand over a [rest.Interface].
package apply

import (
	"encoding/json"
	"fmt"

	cbor "k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/features"
	"k8s.io/client-go/rest"
)

// NewRequest returns a PATCH request that applies applyConfiguration: a value
// of a package under applyconfigurations, a map, or whatever else encodes to
// the fields that the caller wants to own. The caller goes on to name the
// resource, the object and, by way of [k8s.io/apimachinery/pkg/apis/meta/v1.PatchOptions],
// the field manager.
//
// The body is JSON, which is YAML as well, sent as
// application/apply-patch+yaml. Programs that enable the features
// ClientsAllowCBOR and ClientsPreferCBOR send application/apply-patch+cbor.
//
// It fails if the value cannot be encoded.
func NewRequest(client rest.Interface, applyConfiguration any) (*rest.Request, error) {
	patchType, encode := types.ApplyYAMLPatchType, json.Marshal
	if prefersCBOR() {
		patchType, encode = types.ApplyCBORPatchType, cbor.Marshal
	}
	body, err := encode(applyConfiguration)
	if err != nil {
		return nil, fmt.Errorf("encoding a %T for %s: %w", applyConfiguration, patchType, err)
	}
	return client.Patch(patchType).Body(body), nil
}

func prefersCBOR() bool {
	gates := features.FeatureGates()
	return gates.Enabled(features.ClientsPreferCBOR) && gates.Enabled(features.ClientsAllowCBOR)
}
