package jsonpath_test

import (
	"fmt"
	"os"

	"k8s.io/client-go/util/jsonpath"
)

func Example() {
	nodes := map[string]any{"items": []any{
		map[string]any{"name": "n1", "ready": true},
		map[string]any{"name": "n2", "ready": false},
	}}
	template := jsonpath.New("ready nodes")
	if err := template.Parse(`{range .items[?(@.ready==true)]}{.name} is ready{"\n"}{end}`); err != nil {
		fmt.Println(err)
		return
	}
	if err := template.Execute(os.Stdout, nodes); err != nil {
		fmt.Println(err)
	}
	// Output: n1 is ready
}
