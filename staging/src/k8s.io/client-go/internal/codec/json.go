package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/internal/share/offer"
	kjson "sigs.k8s.io/json"
)

// jsonSerializer reads and writes JSON.
type jsonSerializer struct {
	scheme *runtime.Scheme
	strict bool          // complain of fields that are unknown or given twice
	shared offer.Decoder // of objects that nobody changes; nil for others
}

// Decode reads an object. It returns the object given as into if the data is of
// its kind, or says of no kind, and a new one of the data's kind otherwise: a
// Status in place of what was asked for. Fields are matched by their exact names.
func (s *jsonSerializer) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	// The envelope of a watch event has no kind to look for, but a server may
	// send a Status in its place.
	if event, isEvent := into.(*metav1.WatchEvent); isEvent && defaults == nil && bytes.HasPrefix(data, []byte(`{"type":`)) {
		return event, &schema.GroupVersionKind{Version: "v1", Kind: "WatchEvent"}, s.unmarshal(data, event)
	}
	find := jsonKind
	if _, isUnknown := into.(*runtime.Unknown); isUnknown {
		find = fullJSONKind // nothing else will see whether it is JSON
	}
	kind, err := find(data)
	if err != nil {
		return nil, nil, fmt.Errorf("reading kind and apiVersion of a JSON object: %w", err)
	}
	if defaults != nil {
		kind = withDefaults(kind, *defaults)
	}

	switch into := into.(type) {
	case nil:
	case *runtime.Unknown:
		into.Raw = data
		into.ContentType = runtime.ContentTypeJSON
		into.SetGroupVersionKind(kind)
		return into, &kind, nil
	case runtime.Unstructured:
		if err := s.unmarshal(data, into); err != nil {
			return nil, &kind, err
		}
		kind = into.GetObjectKind().GroupVersionKind()
		if kind.Kind == "" {
			return nil, &kind, runtime.NewMissingKindErr(string(data))
		}
		return into, &kind, nil
	default:
		known, _, err := s.scheme.ObjectKinds(into)
		if runtime.IsNotRegisteredError(err) {
			// The caller knows the type, if the scheme does not.
			if err := s.unmarshal(data, into); err != nil {
				return nil, &kind, err
			}
			return into, &kind, nil
		}
		if err != nil {
			return nil, &kind, err
		}
		kind = withDefaults(kind, known[0])
	}

	if kind.Kind == "" {
		return nil, &kind, runtime.NewMissingKindErr(string(data))
	}
	if kind.Version == "" {
		return nil, &kind, runtime.NewMissingVersionErr(string(data))
	}
	object, err := runtime.UseOrCreateObject(s.scheme, s.scheme, kind, into)
	if err != nil {
		return nil, &kind, err
	}
	err = s.unmarshal(data, object)
	if err != nil && !runtime.IsStrictDecodingError(err) {
		return nil, &kind, err
	}
	return object, &kind, err
}

func (s *jsonSerializer) unmarshal(data []byte, into any) error {
	switch {
	case s.strict:
	case s.shared != nil:
		return s.shared.DecodeJSON(data, into, kjson.UnmarshalCaseSensitivePreserveInts)
	default:
		return kjson.UnmarshalCaseSensitivePreserveInts(data, into)
	}
	complaints, err := kjson.UnmarshalStrict(data, into)
	if err != nil {
		return err
	}
	if len(complaints) > 0 {
		return runtime.NewStrictDecodingError(complaints)
	}
	return nil
}

// withDefaults fills in what data does not say of its kind.
func withDefaults(kind, defaults schema.GroupVersionKind) schema.GroupVersionKind {
	if kind.Kind == "" {
		kind.Kind = defaults.Kind
	}
	if kind.Version == "" && (kind.Group == "" || kind.Group == defaults.Group) {
		kind.Group, kind.Version = defaults.Group, defaults.Version
	}
	return kind
}

// Encode writes an object and a newline.
func (s *jsonSerializer) Encode(object runtime.Object, w io.Writer) error {
	if cached, isCached := object.(runtime.CacheableObject); isCached {
		return cached.CacheEncode(s.Identifier(), writeJSON, w)
	}
	return writeJSON(object, w)
}

func writeJSON(object runtime.Object, w io.Writer) error { return json.NewEncoder(w).Encode(object) }

// Identifier tells encoders apart whose output differs.
func (s *jsonSerializer) Identifier() runtime.Identifier { return "client-json" }

// ReadsJSONWatchEvents tells package rest that it may decode watch events in a
// shorter way.
func (s *jsonSerializer) ReadsJSONWatchEvents() {}

// RecognizesData reports whether data looks like a JSON object.
func (s *jsonSerializer) RecognizesData(data []byte) (ok, unknown bool, err error) {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")), false, nil
}

// CopiesInput tells package rest/watch that objects of new kinds keep nothing of the data
// that they are decoded from.
func (s *jsonSerializer) CopiesInput() {}

// Sharing returns a decoder for package rest: see [sharing].
func (s *jsonSerializer) Sharing(with offer.Decoder) runtime.Decoder {
	shared := *s
	shared.shared = with
	return &sharing{&shared, with}
}
