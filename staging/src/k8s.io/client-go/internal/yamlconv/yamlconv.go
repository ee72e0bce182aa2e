// Package yamlconv lets package exec read YAML from credential plugins in programs
// that read kubeconfig files, where the plugins are named, and spares the others the
// library: it is the only thing that a dynamic client would link it for.
package yamlconv

import "errors"

// ErrNotLinked is returned where YAML was met in a program without the library.
var ErrNotLinked = errors.New("this program links no YAML library: use JSON, or import k8s.io/client-go/tools/clientcmd, which brings one")

var toJSON func([]byte) ([]byte, error)

// Provide sets the function that converts YAML to JSON. Packages that cannot do without
// YAML call it from an init function.
func Provide(yamlToJSON func([]byte) ([]byte, error)) { toJSON = yamlToJSON }

// ToJSON converts YAML, of which JSON is a part, to JSON.
func ToJSON(data []byte) ([]byte, error) {
	if toJSON == nil {
		return nil, ErrNotLinked
	}
	return toJSON(data)
}
