package share

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// DecodeJSON decodes an object as general does, which decodes JSON into a pointer,
// matching fields by their exact names. The object, a pointer to a struct that is
// zero, comes to share what is the same in it and in those before it: nobody may
// change it afterwards, except for its own fields. Nothing of raw is kept.
func (s *Sharer) DecodeJSON(raw []byte, into any, general func(raw []byte, into any) error) error {
	d := &decoder{Sharer: s, general: general}
	return d.object(jsonKinds.of, raw, into)
}

var jsonKinds kinds

func init() { jsonKinds.make = makeJSON }

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func makeJSON(k *kind) {
	t := k.typ
	k.decode = k.whole
	switch {
	case implements(t, jsonUnmarshaler):
		if t.Kind() != reflect.Pointer {
			k.decode = k.unmarshaler
		} else if !t.Elem().Implements(jsonUnmarshaler) {
			k.decode = k.jsonPointer(jsonKinds.build(t.Elem()))
		}
	case implements(t, textUnmarshaler):
	case t.Kind() == reflect.String:
		k.decode = k.jsonString
	case t.Kind() == reflect.Bool:
		k.decode = k.jsonBool
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int32, t.Kind() == reflect.Int64:
		k.decode = k.jsonInt
	case t.Kind() == reflect.Pointer:
		k.decode = k.jsonPointer(jsonKinds.build(t.Elem()))
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		k.decode = k.jsonSlice(jsonKinds.build(t.Elem()))
	case t.Kind() == reflect.Struct:
		if fields, ok := jsonFields(t); ok {
			k.decode = k.jsonStruct(fields)
		}
	}
}

// unmarshaler is for types that decode themselves.
func (k *kind) unmarshaler(d *decoder, raw []byte, at unsafe.Pointer) error {
	if _, simple := plainString(raw); !simple && !json.Valid(raw) {
		return errUnusual
	}
	if err := reflect.NewAt(k.typ, at).Interface().(json.Unmarshaler).UnmarshalJSON(raw); err != nil {
		return err
	}
	k.visit(d, at)
	return nil
}

func isNull(raw []byte) bool { return string(raw) == "null" }

// plainString returns the text of a string that has nothing escaped in it.
func plainString(raw []byte) (text []byte, ok bool) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return nil, false
	}
	text = raw[1 : len(raw)-1]
	ascii := true
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return nil, false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return text, ascii || utf8.Valid(text)
}

func (k *kind) jsonString(d *decoder, raw []byte, at unsafe.Pointer) error {
	text, ok := plainString(raw)
	if !ok {
		return k.whole(d, raw, at)
	}
	*(*string)(at) = d.stringOf(text)
	return nil
}

func (k *kind) jsonBool(d *decoder, raw []byte, at unsafe.Pointer) error {
	switch string(raw) {
	case "true":
		*(*bool)(at) = true
	case "false":
	default:
		return k.whole(d, raw, at)
	}
	return nil
}

func (k *kind) jsonInt(d *decoder, raw []byte, at unsafe.Pointer) error {
	digits := bytes.TrimPrefix(raw, []byte("-"))
	if len(digits) == 0 || len(digits) > 1 && digits[0] == '0' || !isDigit(digits[0]) {
		return k.whole(d, raw, at)
	}
	for _, c := range digits {
		if !isDigit(c) {
			return k.whole(d, raw, at)
		}
	}
	n, err := strconv.ParseInt(unsafe.String(unsafe.SliceData(raw), len(raw)), 10, k.typ.Bits())
	if err != nil {
		return k.whole(d, raw, at)
	}
	setInt(k.typ, at, n)
	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func setInt(t reflect.Type, at unsafe.Pointer, n int64) {
	if t.Bits() == 32 {
		*(*int32)(at) = int32(n)
	} else {
		*(*int64)(at) = n
	}
}

func (k *kind) jsonPointer(element *kind) func(*decoder, []byte, unsafe.Pointer) error {
	elementType := k.typ.Elem()
	return func(d *decoder, raw []byte, at unsafe.Pointer) error {
		if isNull(raw) {
			return nil
		}
		value := reflect.New(elementType).UnsafePointer()
		if err := d.nested(element, raw, value); err != nil {
			return err
		}
		*(*unsafe.Pointer)(at) = value
		if size := int(elementType.Size()); size > 0 && k.kept {
			*(*unsafe.Pointer)(at) = d.same(k.visitor, value, size, size+len(raw))
		}
		return nil
	}
}

func (k *kind) jsonSlice(element *kind) func(*decoder, []byte, unsafe.Pointer) error {
	elementType := k.typ.Elem()
	size := elementType.Size()
	return func(d *decoder, raw []byte, at unsafe.Pointer) error {
		if isNull(raw) {
			return nil
		}
		n, err := countElements(raw)
		if err != nil {
			return err
		}
		slice := reflect.MakeSlice(k.typ, n, n)
		reflect.NewAt(k.typ, at).Elem().Set(slice)
		values, r := slice.UnsafePointer(), reader{rest: raw}
		if err := r.expect('['); err != nil {
			return err
		}
		for i := range n {
			value, err := r.value()
			if err != nil {
				return err
			}
			if isNull(value) {
				return errUnusual
			}
			if err := d.value(element, value, unsafe.Add(values, uintptr(i)*size)); err != nil {
				return err
			}
			if err := r.next(']', i == n-1); err != nil {
				return err
			}
		}
		if n == 0 {
			if err := r.expect(']'); err != nil {
				return err
			}
		}
		if n > 0 && size > 0 && k.kept {
			d.sameArray(k.visitor, (*sliceHeader)(at), int(size), n*int(size)+len(raw))
		}
		return r.end()
	}
}

// A jsonField is a field of a struct, or of one that is embedded in it.
type jsonField struct {
	*kind
	offset uintptr
	index  int // among those of the struct
}

// jsonFields returns the fields by name. It returns false for structs that are not as
// those of the API are.
func jsonFields(t reflect.Type) (map[string]jsonField, bool) {
	fields := map[string]jsonField{}
	ok := addJSONFields(fields, t, 0)
	return fields, ok && len(fields) <= 64
}

func addJSONFields(fields map[string]jsonField, t reflect.Type, offset uintptr) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" && options == "":
		case !f.IsExported():
			return false
		case f.Anonymous && name == "":
			if f.Type.Kind() != reflect.Struct || implements(f.Type, jsonUnmarshaler, textUnmarshaler) ||
				!addJSONFields(fields, f.Type, offset+f.Offset) {
				return false
			}
		case name == "" || strings.Contains(options, "string"):
			return false
		default:
			if _, twice := fields[name]; twice {
				return false
			}
			fields[name] = jsonField{jsonKinds.build(f.Type), offset + f.Offset, len(fields)}
		}
	}
	return true
}

func (k *kind) jsonStruct(fields map[string]jsonField) func(*decoder, []byte, unsafe.Pointer) error {
	return func(d *decoder, raw []byte, at unsafe.Pointer) error {
		if isNull(raw) {
			return nil
		}
		r := reader{rest: raw}
		if err := r.expect('{'); err != nil {
			return err
		}
		if r.peek() == '}' {
			r.rest = r.rest[1:]
			return r.end()
		}
		var seen uint64
		for last := false; !last; {
			name, value, err := r.member()
			if err != nil {
				return err
			}
			if f, ok := fields[string(name)]; ok {
				bit := uint64(1) << f.index
				if seen&bit != 0 {
					return errUnusual
				}
				seen |= bit
				err = d.value(f.kind, value, unsafe.Add(at, f.offset))
			} else if !json.Valid(value) {
				err = errUnusual
			}
			if err != nil {
				return err
			}
			last = r.peek() == '}'
			if err := r.next('}', last); err != nil {
				return err
			}
		}
		return r.end()
	}
}

// A reader takes JSON apart without looking into the values.
type reader struct{ rest []byte }

func (r *reader) space() {
	for len(r.rest) > 0 && isSpace(r.rest[0]) {
		r.rest = r.rest[1:]
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// peek returns the next byte that is no space, or 0.
func (r *reader) peek() byte {
	r.space()
	if len(r.rest) == 0 {
		return 0
	}
	return r.rest[0]
}

func (r *reader) expect(c byte) error {
	if r.peek() != c {
		return errUnusual
	}
	r.rest = r.rest[1:]
	return nil
}

// next goes on to the next one of several, or past the closing bracket.
func (r *reader) next(bracket byte, last bool) error {
	if last {
		return r.expect(bracket)
	}
	return r.expect(',')
}

func (r *reader) end() error {
	if r.peek() != 0 || len(r.rest) > 0 {
		return errUnusual
	}
	return nil
}

// member returns a name and a value.
func (r *reader) member() (name, value []byte, err error) {
	if r.peek() != '"' {
		return nil, nil, errUnusual
	}
	quoted, err := r.value()
	if err != nil {
		return nil, nil, err
	}
	name, ok := plainString(quoted)
	if !ok {
		return nil, nil, errUnusual
	}
	if err := r.expect(':'); err != nil {
		return nil, nil, err
	}
	value, err = r.value()
	return name, value, err
}

// value returns the next value. It knows where it ends; what is in it may not be JSON.
func (r *reader) value() ([]byte, error) {
	r.space()
	n := valueLen(r.rest)
	if n <= 0 {
		return nil, errUnusual
	}
	value := r.rest[:n]
	r.rest = r.rest[n:]
	return value, nil
}

// valueLen returns how long the value is that something begins with, or 0.
func valueLen(data []byte) int {
	if len(data) == 0 {
		return 0
	}
	switch data[0] {
	case '"':
		return stringLen(data)
	case '{', '[':
	default:
		for n, c := range data {
			switch c {
			case ',', '}', ']', ':', ' ', '\n', '\r', '\t', '"', '{', '[':
				return n
			}
		}
		return len(data)
	}
	depth := 0
	for n := 0; n < len(data); {
		switch data[n] {
		case '"':
			text := stringLen(data[n:])
			if text == 0 {
				return 0
			}
			n += text
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return n + 1
			}
		}
		n++
	}
	return 0
}

// stringLen returns how long the string is that something begins with, or 0.
func stringLen(data []byte) int {
	for n := 1; ; {
		quote := bytes.IndexByte(data[n:], '"')
		if quote < 0 {
			return 0
		}
		end := n + quote
		escapes := 0
		for data[end-1-escapes] == '\\' { // the string's first byte is none
			escapes++
		}
		if n = end + 1; escapes%2 == 0 {
			return n
		}
	}
}

// countElements returns how many elements an array has.
func countElements(raw []byte) (int, error) {
	r := reader{rest: raw}
	if err := r.expect('['); err != nil {
		return 0, err
	}
	if r.peek() == ']' {
		return 0, nil
	}
	for n := 1; ; n++ {
		if _, err := r.value(); err != nil {
			return 0, err
		}
		if r.peek() != ',' {
			return n, nil
		}
		r.rest = r.rest[1:]
	}
}
