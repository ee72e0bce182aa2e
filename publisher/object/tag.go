package object

// Tag is a parsed annotated tag object.
type Tag struct {
	Target     ID
	TargetType Type
	Name       string
	// Tagger is an identity line as in [Commit]; nil where the tag has none,
	// as tags made before 2005 have.
	Tagger  []byte
	Headers []Header
	// Message includes a signature that stands at its end.
	Message []byte
}

// ParseTag reads a tag's content.
func ParseTag(data []byte) (*Tag, error) {
	t := new(Tag)
	value, rest, ok := headerLine(data, "object ")
	if !ok {
		return nil, malformed(TagType, "no object line")
	}
	var err error
	if t.Target, err = ParseID(value); err != nil {
		return nil, malformed(TagType, "object line: %v", err)
	}
	if value, rest, ok = headerLine(rest, "type "); !ok {
		return nil, malformed(TagType, "no type line")
	}
	if t.TargetType, ok = ParseType(string(value)); !ok {
		return nil, malformed(TagType, "unknown type %q", value)
	}
	if value, rest, ok = headerLine(rest, "tag "); !ok {
		return nil, malformed(TagType, "no tag line")
	}
	t.Name = string(value)
	if value, next, ok := headerLine(rest, "tagger "); ok {
		t.Tagger, rest = value, next
	}
	t.Headers, t.Message, err = parseHeaders(TagType, rest)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Encode returns the tag's content.
func (t *Tag) Encode() []byte {
	b := make([]byte, 0, 128+len(t.Name)+len(t.Tagger)+len(t.Message))
	b = append(b, "object "...)
	b = AppendID(b, t.Target)
	b = append(b, "\ntype "...)
	b = append(b, t.TargetType.String()...)
	b = append(b, "\ntag "...)
	b = append(b, t.Name...)
	b = append(b, '\n')
	if t.Tagger != nil {
		b = appendLine(b, "tagger ", t.Tagger)
	}
	return appendHeaders(b, t.Headers, t.Message)
}
