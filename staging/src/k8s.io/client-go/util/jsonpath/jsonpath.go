package jsonpath

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// A JSONPath is a template that can be carried out on documents, also by several
// goroutines once it is set up.
type JSONPath struct {
	name         string
	root         *ListNode
	allowMissing bool
	json         bool
}

// New returns a template, which Parse then fills. The name is for messages.
func New(name string) *JSONPath {
	return &JSONPath{name: name}
}

// AllowMissingKeys says whether a field that no value has yields nothing, or is
// an error as it is from the start. It returns j.
func (j *JSONPath) AllowMissingKeys(allow bool) *JSONPath {
	j.allowMissing = allow
	return j
}

// EnableJSONOutput says whether PrintResults prints a list of values as a JSON
// array.
func (j *JSONPath) EnableJSONOutput(v bool) {
	j.json = v
}

// Parse sets the template to text. The error tells what is wrong with it.
func (j *JSONPath) Parse(text string) error {
	parser, err := Parse(j.name, text)
	if err != nil {
		return err
	}
	j.root = parser.Root
	return nil
}

// Execute carries the template out on data and prints the results to wr. Where
// it fails, nothing is printed.
func (j *JSONPath) Execute(wr io.Writer, data interface{}) error {
	results, err := j.FindResults(data)
	if err != nil {
		return err
	}
	for _, values := range results {
		if err := j.PrintResults(wr, values); err != nil {
			return err
		}
	}
	return nil
}

// FindResults carries the template out on data. There is one list of values for
// each text and each query, and one for each time around for those in a range.
// The values are parts of data, not copies.
func (j *JSONPath) FindResults(data interface{}) ([][]reflect.Value, error) {
	if j.root == nil {
		return nil, fmt.Errorf("%s is an incomplete jsonpath template", j.name)
	}
	e := &evaluation{allowMissing: j.allowMissing}
	rest, err := e.template(j.root.Nodes, []reflect.Value{reflect.ValueOf(data)})
	if err == nil && len(rest) > 0 {
		err = errors.New("not in range, nothing to end")
	}
	if err != nil {
		return nil, err
	}
	return e.results, nil
}

// PrintResults prints a list of values: with spaces between them, and what is
// not text or a number as JSON; or as a JSON array if EnableJSONOutput says so.
func (j *JSONPath) PrintResults(wr io.Writer, results []reflect.Value) error {
	if j.json {
		return printArray(wr, results)
	}
	var line bytes.Buffer
	for i, value := range results {
		if i > 0 {
			line.WriteByte(' ')
		}
		if err := printValue(&line, value); err != nil {
			return err
		}
	}
	_, err := wr.Write(line.Bytes())
	return err
}

func printArray(wr io.Writer, values []reflect.Value) error {
	array := make([]any, len(values))
	for i, value := range values {
		if value.IsValid() {
			array[i] = value.Interface()
		}
	}
	text, err := json.MarshalIndent(array, "", "    ")
	if err != nil {
		return err
	}
	_, err = wr.Write(append(text, '\n'))
	return err
}

func printValue(line *bytes.Buffer, value reflect.Value) error {
	if !value.IsValid() {
		line.WriteString("<no value>")
		return nil
	}
	bare := indirect(value)
	switch bare.Kind() {
	case reflect.Invalid:
		line.WriteString("null")
	case reflect.Map, reflect.Slice, reflect.Array, reflect.Struct:
		text, err := json.Marshal(value.Interface())
		if err != nil {
			return err
		}
		line.Write(text)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return fmt.Errorf("can't print type %s", bare.Type())
	default:
		fmt.Fprint(line, bare.Interface())
	}
	return nil
}
