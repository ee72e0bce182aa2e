package jsonpath

import "fmt"

// A NodeType tells what a node of a parsed template is.
type NodeType int

const (
	NodeText NodeType = iota
	NodeArray
	NodeList
	NodeField
	NodeIdentifier
	NodeFilter
	NodeInt
	NodeFloat
	NodeWildcard
	NodeRecursive
	NodeUnion
	NodeBool
)

// NodeTypeName has the names of all types.
var NodeTypeName = map[NodeType]string{
	NodeText:       "NodeText",
	NodeArray:      "NodeArray",
	NodeList:       "NodeList",
	NodeField:      "NodeField",
	NodeIdentifier: "NodeIdentifier",
	NodeFilter:     "NodeFilter",
	NodeInt:        "NodeInt",
	NodeFloat:      "NodeFloat",
	NodeWildcard:   "NodeWildcard",
	NodeRecursive:  "NodeRecursive",
	NodeUnion:      "NodeUnion",
	NodeBool:       "NodeBool",
}

// Type returns t, so that a node that embeds its type has the method.
func (t NodeType) Type() NodeType { return t }

// String returns the name of the type.
func (t NodeType) String() string { return NodeTypeName[t] }

// A Node is an element of a parsed template. Its String is for people who debug
// a template; it is not the source.
type Node interface {
	Type() NodeType
	String() string
}

// A ListNode is the template as a whole, a query in braces, or a part of one:
// what it holds is carried out one after the other.
type ListNode struct {
	NodeType
	Nodes []Node
}

func newList() *ListNode { return &ListNode{NodeType: NodeList} }

func (l *ListNode) append(n ...Node) { l.Nodes = append(l.Nodes, n...) }

func (l *ListNode) String() string { return l.Type().String() }

// A TextNode is text to print as it is, or in a filter a string to compare with.
type TextNode struct {
	NodeType
	Text string
}

func newText(text string) *TextNode { return &TextNode{NodeText, text} }

func (t *TextNode) String() string { return fmt.Sprintf("%s: %s", t.Type(), t.Text) }

// A FieldNode selects the field of a struct or the key of a map. An empty name
// selects the value itself.
type FieldNode struct {
	NodeType
	Value string
}

func newField(name string) *FieldNode { return &FieldNode{NodeField, name} }

func (f *FieldNode) String() string { return fmt.Sprintf("%s: %s", f.Type(), f.Value) }

// An IdentifierNode is a word: range or end.
type IdentifierNode struct {
	NodeType
	Name string
}

func (f *IdentifierNode) String() string { return fmt.Sprintf("%s: %s", f.Type(), f.Name) }

// A ParamsEntry is one of the three numbers in [start:end:step].
type ParamsEntry struct {
	Value   int
	Known   bool // whether the number was given, or derived
	Derived bool // whether it is the end that follows from a single index
}

// An ArrayNode selects a slice of a list, or all of it if nothing is known.
type ArrayNode struct {
	NodeType
	Params [3]ParamsEntry // start, end, step
}

func (a *ArrayNode) String() string { return fmt.Sprintf("%s: %v", a.Type(), a.Params) }

// A FilterNode selects the elements of a list for which the comparison holds.
// With the operator "exists" they are those for which Left yields something.
type FilterNode struct {
	NodeType
	Left     *ListNode
	Right    *ListNode
	Operator string
}

func (f *FilterNode) String() string {
	return fmt.Sprintf("%s: %s %s %s", f.Type(), f.Left, f.Operator, f.Right)
}

// An IntNode is a number to compare with.
type IntNode struct {
	NodeType
	Value int
}

func (i *IntNode) String() string { return fmt.Sprintf("%s: %d", i.Type(), i.Value) }

// A FloatNode is a number to compare with.
type FloatNode struct {
	NodeType
	Value float64
}

func (i *FloatNode) String() string { return fmt.Sprintf("%s: %f", i.Type(), i.Value) }

// A BoolNode is a truth value to compare with.
type BoolNode struct {
	NodeType
	Value bool
}

func (b *BoolNode) String() string { return fmt.Sprintf("%s: %t", b.Type(), b.Value) }

// A WildcardNode selects all elements of a list, or all fields.
type WildcardNode struct {
	NodeType
}

func (i *WildcardNode) String() string { return i.Type().String() }

// A RecursiveNode selects a value and all that is in it, at any depth.
type RecursiveNode struct {
	NodeType
}

func (r *RecursiveNode) String() string { return r.Type().String() }

// A UnionNode yields what each of its queries yields, in their order.
type UnionNode struct {
	NodeType
	Nodes []*ListNode
}

func (u *UnionNode) String() string { return u.Type().String() }
