// Package latest has a codec for the newest version of the kubeconfig format.
//
// To read and write kubeconfigs use k8s.io/client-go/tools/clientcmd, which
// does it faster and without a scheme. This package is for programs that treat
// a kubeconfig as one of several kinds of objects.
package latest

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/versioning"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/clientcmd/api/v1"
)

// Version is the newest version of the format.
const Version = "v1"

// OldestVersion is the oldest version of the format that can be read.
const OldestVersion = "v1"

// ExternalVersion is the newest version of the format, with its group.
var ExternalVersion = schema.GroupVersion{Group: "", Version: "v1"}

// Versions are all versions of the format, from the oldest to the newest.
var Versions = []string{"v1"}

var (
	// Scheme knows the kubeconfig's types, in memory and on disk, and how to
	// convert between them.
	Scheme = newScheme()

	// Codec decodes YAML and JSON to *api.Config and encodes to YAML.
	Codec = newCodec(Scheme)
)

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(api.AddToScheme(scheme))
	utilruntime.Must(v1.AddToScheme(scheme))
	return scheme
}

func newCodec(scheme *runtime.Scheme) runtime.Codec {
	yaml := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true})
	onDisk := schema.GroupVersion{Version: Version}
	return versioning.NewDefaultingCodecForScheme(scheme, yaml, yaml, onDisk, runtime.InternalGroupVersioner)
}
