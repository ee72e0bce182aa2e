package dynamic

import (
	gojson "encoding/json"
	"errors"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/dynamic/internal/jsonvalue"
	"k8s.io/client-go/internal/liststream"
	kjson "sigs.k8s.io/json"
)

// jsonSerializer decodes JSON into unstructured objects, and into the few typed
// ones that a client meets.
//
// Decoding is one pass over the input where the input is as it should be. Where
// it is not, or where it is unusual, [unstructured.UnstructuredJSONScheme]
// decides what it means, or what the error is.
type jsonSerializer struct {
	indent string
}

func (s jsonSerializer) Identifier() runtime.Identifier {
	if s.indent != "" {
		return "dynamicJSONPretty"
	}
	return "dynamicJSON"
}

func (s jsonSerializer) Encode(obj runtime.Object, w io.Writer) error {
	if cached, ok := obj.(runtime.CacheableObject); ok {
		return cached.CacheEncode(s.Identifier(), s.encode, w)
	}
	return s.encode(obj, w)
}

func (s jsonSerializer) encode(obj runtime.Object, w io.Writer) error {
	e := gojson.NewEncoder(w)
	e.SetIndent("", s.indent)
	if u, ok := obj.(*unstructured.Unstructured); ok {
		// By way of its MarshalJSON it would be scanned once more.
		return e.Encode(u.Object)
	}
	return e.Encode(obj)
}

func (s jsonSerializer) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	switch out := into.(type) {
	case nil:
		return decodeAny(data, defaults)
	case *unstructured.Unstructured:
		content, kind, ok := parse(data)
		if !ok {
			return decodeUnusual(data, into)
		}
		out.Object = content
		return out, kind, nil
	case *unstructured.UnstructuredList:
		content, kind, ok := parse(data)
		if !ok || !setList(out, content) {
			return decodeUnusual(data, into)
		}
		return out, kind, nil
	default:
		return decodeTyped(data, defaults, into)
	}
}

// DecodeFrom is Decode for what comes in, without defaults. The items of a list are decoded
// one by one, so that it is never in memory as it is encoded.
func (s jsonSerializer) DecodeFrom(r io.Reader, into runtime.Object) (runtime.Object, error) {
	list, ok := into.(*unstructured.UnstructuredList)
	if !ok {
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		object, _, err := s.Decode(data, nil, into)
		return object, err
	}
	items := []any{}
	data, opened, err := liststream.JSON(r, func([]byte) func([]byte) error {
		return func(item []byte) error {
			object, ok := jsonvalue.Object(item)
			if !ok {
				if err := kjson.UnmarshalCaseSensitivePreserveInts(item, &object); err != nil {
					return err
				}
			}
			if object == nil {
				return errNoObject
			}
			items = append(items, object)
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	if !opened {
		object, _, err := s.Decode(data, nil, into)
		return object, err
	}
	content, _, ok := parse(data)
	if !ok {
		if _, _, err := decodeUnusual(data, into); err != nil {
			return nil, err
		}
		return nil, errUnusualList
	}
	content["items"] = items
	setList(list, content)
	return list, nil
}

var (
	errNoObject    = errors.New("an item of the list is not an object")
	errUnusualList = errors.New("the list says of which kind it is in an unusual way")
)

// RecognizesData reports whether data looks like JSON.
func (jsonSerializer) RecognizesData(data []byte) (ok, unknown bool, err error) {
	return gojson.Valid(data), false, nil
}

// parse returns the content of an object and its kind, if it has one.
func parse(data []byte) (map[string]any, *schema.GroupVersionKind, bool) {
	content, ok := jsonvalue.Object(data)
	if !ok {
		return nil, nil, false
	}
	kind, ok := content["kind"].(string)
	if !ok || kind == "" {
		return nil, nil, false
	}
	apiVersion, ok := content["apiVersion"].(string)
	if !ok && content["apiVersion"] != nil {
		return nil, nil, false
	}
	version, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return nil, nil, false
	}
	gvk := version.WithKind(kind)
	return content, &gvk, true
}

// setList makes list of its content, which it takes over. Items that do not
// say what they are, as those of built-in kinds do not, are told.
func setList(list *unstructured.UnstructuredList, content map[string]any) bool {
	items, ok := content["items"].([]any)
	if !ok && content["items"] != nil {
		return false
	}
	apiVersion, itemKind := content["apiVersion"], any(strings.TrimSuffix(content["kind"].(string), "List"))
	if apiVersion == nil {
		apiVersion = ""
	}
	objects := make([]unstructured.Unstructured, len(items))
	for i, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			return false
		}
		if !named(object, "kind") && !named(object, "apiVersion") {
			object["kind"], object["apiVersion"] = itemKind, apiVersion
		}
		objects[i].Object = object
	}
	delete(content, "items")
	list.Object, list.Items = content, objects
	return true
}

// named reports whether a field is a string other than "".
func named(object map[string]any, field string) bool {
	s, _ := object[field].(string)
	return s != ""
}

// decodeUnusual decodes into an unstructured object or list what parse would
// not, and most often returns an error.
func decodeUnusual(data []byte, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	kind, err := json.DefaultMetaFactory.Interpret(data)
	if err != nil {
		return nil, nil, err
	}
	// Field names are taken less strictly above than by the object.
	_, actual, err := unstructured.UnstructuredJSONScheme.Decode(data, nil, into)
	if err != nil {
		return nil, kind, err
	}
	return into, actual, nil
}

// decodeAny decodes what the caller knows nothing about: a status as such, and
// all else as an unstructured object, be it a list or not.
func decodeAny(data []byte, defaults *schema.GroupVersionKind) (runtime.Object, *schema.GroupVersionKind, error) {
	content, kind, ok := parse(data)
	if ok && kind.Version != "" && !isStatus(*kind) {
		return &unstructured.Unstructured{Object: content}, kind, nil
	}
	kind, err := interpret(data, defaults)
	if err != nil {
		return nil, kind, err
	}
	obj, err := kinds{}.New(*kind)
	if err != nil {
		return nil, kind, err
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, obj); err != nil {
		return nil, kind, err
	}
	return obj, kind, nil
}

// decodeTyped decodes into one of the types that are not unstructured.
func decodeTyped(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	switch into.(type) {
	case *metav1.WatchEvent:
		// Events have no kind of their own on the wire.
		event := v1.WithKind("WatchEvent")
		if err := kjson.UnmarshalCaseSensitivePreserveInts(data, into); err != nil {
			return nil, &event, err
		}
		return into, &event, nil
	}
	kind, err := interpret(data, defaults)
	if err != nil {
		return nil, kind, err
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, into); err != nil {
		return nil, kind, err
	}
	return into, kind, nil
}

// interpret returns the kind that data says it is of, or else the default. An
// object must have a kind and a version.
func interpret(data []byte, defaults *schema.GroupVersionKind) (*schema.GroupVersionKind, error) {
	kind, err := json.DefaultMetaFactory.Interpret(data)
	if err != nil {
		return nil, err
	}
	if defaults != nil {
		if kind.Kind == "" {
			kind.Kind = defaults.Kind
		}
		if kind.Version == "" && (kind.Group == "" || kind.Group == defaults.Group) {
			kind.Group, kind.Version = defaults.Group, defaults.Version
		}
	}
	if kind.Kind == "" {
		return kind, runtime.NewMissingKindErr(string(data))
	}
	if kind.Version == "" {
		return kind, runtime.NewMissingVersionErr(string(data))
	}
	return kind, nil
}
