package codec

import (
	"encoding/json"
	"io"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// yamlSerializer reads and writes YAML by way of JSON. It reads no streams: where a
// document ends, only the next one tells.
type yamlSerializer struct {
	json *jsonSerializer
}

// Decode is that of JSON for the document that data begins with.
func (s yamlSerializer) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	converted, err := yaml.YAMLToJSON(data)
	if err != nil {
		return nil, nil, err
	}
	object, kind, err := s.json.Decode(converted, defaults, into)
	if s.json.strict && err == nil {
		// In JSON, what was given twice is not seen any more.
		if _, twice := yaml.YAMLToJSONStrict(data); twice != nil {
			err = runtime.NewStrictDecodingError([]error{twice})
		}
	}
	return object, kind, err
}

// Encode writes a document.
func (s yamlSerializer) Encode(object runtime.Object, w io.Writer) error {
	data, err := json.Marshal(object)
	if err != nil {
		return err
	}
	converted, err := yaml.JSONToYAML(data)
	if err != nil {
		return err
	}
	_, err = w.Write(converted)
	return err
}

// Identifier tells encoders apart whose output differs.
func (s yamlSerializer) Identifier() runtime.Identifier { return "client-yaml" }
