// Package jsonpath is the template language behind kubectl's -o jsonpath: text
// with queries in braces, which are carried out on a document.
//
//	{.metadata.name}                        a field
//	{.metadata.labels.kubernetes\.io/os}    a field with a dot in its name
//	{.metadata.labels['kubernetes\.io/os']} the same
//	{.metadata.labels["kubernetes.io/os"]}  the same, taken literally
//	{.items[0]} {.items[-1]}                an element, from either end
//	{.items[0:4:2]}                         a slice: from, up to, step
//	{.items[*]} {.items.*}                  all elements, or all fields
//	{.items[0,2]} {['kind', 'metadata.name']}   a union
//	{..name}                                at any depth
//	{.items[?(@.status.phase=="Running")]}  a filter
//	{.items[?(@.metadata.labels.app)]}      those that have it
//	{range .items[*]}{.metadata.name}{"\n"}{end}
//
// A query yields a list of values, which are printed with a space between them.
// The document is made of maps and slices, as JSON decodes, or of Go structs,
// whose fields go by the names in their json tags or by their Go names, or of
// both. Every query starts at the document, or in a range at the element; $ and @
// both mean that.
//
// In a filter, the operators are ==, !=, <, <=, > and >=. Strings, booleans (for
// the first two) and numbers of any type can be compared with their like.
//
// # Missing fields
//
// A field that none of the values has is an error, unless AllowMissingKeys says
// that it just yields nothing. An index that is out of bounds always is an error,
// and so is such a slice, except one that ends where it starts: it yields nothing.
package jsonpath
