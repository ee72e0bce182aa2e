package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// typedClients finds every typed client of a clientset: each group's methods that
// return a resource's client, called after the resource.
func typedClients(cs kubernetes.Interface) map[schema.GroupVersionResource]reflect.Value {
	clients := map[schema.GroupVersionResource]reflect.Value{}
	set := reflect.ValueOf(&cs).Elem()
	for i := range set.NumMethod() {
		if set.Type().Method(i).Name == "Discovery" {
			continue
		}
		group := set.Method(i).Call(nil)[0]
		gv := group.Interface().(interface{ RESTClient() rest.Interface }).RESTClient().APIVersion()
		for j := range group.NumMethod() {
			if name := group.Type().Method(j).Name; name != "RESTClient" {
				clients[gv.WithResource(strings.ToLower(name))] = group.Method(j)
			}
		}
	}
	return clients
}

// typedClient is the client of one resource, of whatever type.
type typedClient struct{ value reflect.Value }

// newTypedClient calls a group's method; namespace is for those that take one.
func newTypedClient(get reflect.Value, namespace string) typedClient {
	var args []reflect.Value
	if get.Type().NumIn() == 1 {
		args = append(args, reflect.ValueOf(namespace))
	}
	return typedClient{get.Call(args)[0]}
}

func (c typedClient) has(method string) bool { return c.value.MethodByName(method).IsValid() }

// call calls a method by its name. Its last result is an error, and the one before
// it, if any, is returned.
func (c typedClient) call(method string, args ...any) (any, error) {
	m := c.value.MethodByName(method)
	if !m.IsValid() {
		return nil, fmt.Errorf("%s has no method %s", c.value.Type(), method)
	}
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		in[i] = reflect.ValueOf(arg)
	}
	out := m.Call(in)
	err, _ := out[len(out)-1].Interface().(error)
	if len(out) == 1 {
		return nil, err
	}
	return out[0].Interface(), err
}

func (c typedClient) object(method string, args ...any) (runtime.Object, error) {
	out, err := c.call(method, args...)
	if err != nil {
		return nil, err
	}
	return out.(runtime.Object), nil
}

// newObject is a new object of the type that the client is for.
func (c typedClient) newObject() runtime.Object {
	method := "Create"
	if !c.has(method) {
		method = "Update"
	}
	return reflect.New(c.value.MethodByName(method).Type().In(1).Elem()).Interface().(runtime.Object)
}

func (c typedClient) create(ctx context.Context, obj runtime.Object) (runtime.Object, error) {
	return c.object("Create", ctx, obj, metav1.CreateOptions{})
}

func (c typedClient) get(ctx context.Context, name string) (runtime.Object, error) {
	return c.object("Get", ctx, name, metav1.GetOptions{})
}

func (c typedClient) list(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
	return c.object("List", ctx, opts)
}

func (c typedClient) watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	out, err := c.call("Watch", ctx, opts)
	if err != nil {
		return nil, err
	}
	return out.(watch.Interface), nil
}

func (c typedClient) patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions) (runtime.Object, error) {
	return c.object("Patch", ctx, name, pt, data, opts)
}

// apply calls Apply or ApplyStatus with the apply configuration that manifest is
// the JSON of.
func (c typedClient) apply(ctx context.Context, method string, manifest []byte) (runtime.Object, error) {
	m := c.value.MethodByName(method)
	if !m.IsValid() {
		return nil, fmt.Errorf("%s has no method %s", c.value.Type(), method)
	}
	configuration := reflect.New(m.Type().In(1).Elem())
	if err := json.Unmarshal(manifest, configuration.Interface()); err != nil {
		return nil, fmt.Errorf("%s: %w", configuration.Type(), err)
	}
	return c.object(method, ctx, configuration.Interface(), metav1.ApplyOptions{FieldManager: "e2e-apply", Force: true})
}
