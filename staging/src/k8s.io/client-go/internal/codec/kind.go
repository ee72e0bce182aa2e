package codec

import (
	"bytes"
	"encoding/json"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// jsonKind returns the group, version and kind that a JSON object says it has.
//
// A server writes them first, so they are mostly found in the first few bytes.
// Data that says other things first is read as a whole. Of a key that is there
// twice the first counts.
func jsonKind(data []byte) (schema.GroupVersionKind, error) {
	if apiVersion, kind, found := leadingKind(data); found {
		return parseKind(apiVersion, kind)
	}
	return fullJSONKind(data)
}

// fullJSONKind is jsonKind, and sees to it that all data is JSON.
func fullJSONKind(data []byte) (schema.GroupVersionKind, error) {
	var said struct {
		APIVersion string `json:"apiVersion,omitempty"`
		Kind       string `json:"kind,omitempty"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return schema.GroupVersionKind{}, err
	}
	return parseKind(said.APIVersion, said.Kind)
}

func parseKind(apiVersion, kind string) (schema.GroupVersionKind, error) {
	version, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return schema.GroupVersionKind{}, err
	}
	return version.WithKind(kind), nil
}

// leadingKind reads apiVersion and kind from the start of an object, in either
// order. It gives up at whatever else comes before them.
func leadingKind(data []byte) (apiVersion, kind string, found bool) {
	rest, ok := after(data, '{')
	if !ok {
		return "", "", false
	}
	var haveVersion, haveKind bool
	for {
		var name, value []byte
		if name, rest, ok = plainString(rest); !ok {
			return "", "", false
		}
		if rest, ok = after(rest, ':'); !ok {
			return "", "", false
		}
		if value, rest, ok = plainString(rest); !ok {
			return "", "", false
		}
		switch {
		case string(name) == "apiVersion" && !haveVersion:
			apiVersion, haveVersion = string(value), true
		case string(name) == "kind" && !haveKind:
			kind, haveKind = string(value), true
		default:
			return "", "", false
		}
		if haveVersion && haveKind {
			return apiVersion, kind, true
		}
		if rest, ok = after(rest, ','); !ok {
			return "", "", false
		}
	}
}

// after returns what follows a character and the space before it.
func after(data []byte, c byte) ([]byte, bool) {
	for i, b := range data {
		switch b {
		case c:
			return data[i+1:], true
		case ' ', '\t', '\r', '\n':
		default:
			return nil, false
		}
	}
	return nil, false
}

// plainString returns the content of a string that has no escapes, and what
// follows it.
func plainString(data []byte) (content, rest []byte, ok bool) {
	data, ok = after(data, '"')
	if !ok {
		return nil, nil, false
	}
	end := bytes.IndexByte(data, '"')
	if end < 0 {
		return nil, nil, false
	}
	content = data[:end]
	for _, b := range content {
		if b == '\\' || b < ' ' || b >= 0x80 {
			return nil, nil, false
		}
	}
	return content, data[end+1:], true
}
