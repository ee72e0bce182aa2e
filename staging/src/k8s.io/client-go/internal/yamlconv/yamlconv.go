// Package yamlconv lets packages that may meet YAML read it in programs that link
// a YAML library anyway, and spares the others the library.
//
// Packages that cannot do without YAML, such as tools/clientcmd, which reads
// kubeconfig files, say so by calling [Provide] from an init function.
package yamlconv

import "errors"

// ErrNotLinked is returned where YAML was met in a program without the library.
var ErrNotLinked = errors.New("this program links no YAML library: use JSON, or import k8s.io/client-go/tools/clientcmd, which brings one")

var toJSON, fromJSON func([]byte) ([]byte, error)

// Provide sets the functions that convert between YAML and JSON. It is called
// before main starts.
func Provide(yamlToJSON, jsonToYAML func([]byte) ([]byte, error)) {
	toJSON, fromJSON = yamlToJSON, jsonToYAML
}

// Linked reports whether the program links a YAML library.
func Linked() bool { return toJSON != nil }

// ToJSON converts YAML, of which JSON is a part, to JSON.
func ToJSON(data []byte) ([]byte, error) {
	if toJSON == nil {
		return nil, ErrNotLinked
	}
	return toJSON(data)
}

// FromJSON converts JSON to YAML.
func FromJSON(data []byte) ([]byte, error) {
	if fromJSON == nil {
		return nil, ErrNotLinked
	}
	return fromJSON(data)
}
