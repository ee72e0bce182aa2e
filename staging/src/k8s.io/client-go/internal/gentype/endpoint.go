package gentype

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/apply"
)

// endpoint is a resource of a server, perhaps within one namespace, and all
// that is needed to send requests there. It knows no type parameter, so that
// its methods are in a program once, however many resources there are.
type endpoint struct {
	client    rest.Interface
	codec     runtime.ParameterCodec
	resource  string
	namespace string // empty: not namespaced, or all namespaces
	protobuf  bool   // whether protobuf is asked for if the configuration does not say
}

// to aims a new request at the resource. The wire format is settled first,
// for it decides how a body is encoded.
func (e *endpoint) to(r *rest.Request) *rest.Request {
	return r.UseProtobufAsDefaultIfPreferred(e.protobuf).
		NamespaceIfScoped(e.namespace, e.namespace != "").
		Resource(e.resource)
}

func (e *endpoint) get(ctx context.Context, name string, opts metav1.GetOptions, into runtime.Object) error {
	r := e.to(e.client.Get()).Name(name)
	if opts != (metav1.GetOptions{}) {
		r = e.getParams(r, opts)
	}
	return r.Do(ctx).Into(into)
}

func (e *endpoint) list(ctx context.Context, opts metav1.ListOptions, into runtime.Object) error {
	return e.listParams(e.to(e.client.Get()), opts).DoInto(ctx, into)
}

func (e *endpoint) watch(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	opts.Watch = true
	return e.listParams(e.to(e.client.Get()), opts).Watch(ctx)
}

func (e *endpoint) create(ctx context.Context, obj runtime.Object, opts metav1.CreateOptions, into runtime.Object) error {
	r := e.to(e.client.Post())
	if !zeroCreateOptions(&opts) {
		r = e.createParams(r, opts)
	}
	return r.Body(obj).Do(ctx).Into(into)
}

func (e *endpoint) update(ctx context.Context, obj Object, opts metav1.UpdateOptions, into runtime.Object, subresource ...string) error {
	r := e.to(e.client.Put()).Name(obj.GetName()).SubResource(subresource...)
	if !zeroUpdateOptions(&opts) {
		r = e.updateParams(r, opts)
	}
	return r.Body(obj).Do(ctx).Into(into)
}

// delete sends its options in the body, where the server looks for them.
func (e *endpoint) delete(ctx context.Context, name string, opts *metav1.DeleteOptions) error {
	return e.to(e.client.Delete()).Name(name).Body(opts).Do(ctx).Error()
}

func (e *endpoint) deleteCollection(ctx context.Context, opts *metav1.DeleteOptions, listOpts metav1.ListOptions) error {
	return e.listParams(e.to(e.client.Delete()), listOpts).Body(opts).Do(ctx).Error()
}

func (e *endpoint) patch(ctx context.Context, name string, pt types.PatchType, data []byte, opts metav1.PatchOptions, into runtime.Object, subresources []string) error {
	r := e.to(e.client.Patch(pt)).Name(name).SubResource(subresources...)
	if !zeroPatchOptions(&opts) {
		r = e.patchParams(r, opts)
	}
	return r.Body(data).Do(ctx).Into(into)
}

func (e *endpoint) apply(ctx context.Context, name string, configuration any, opts metav1.ApplyOptions, into runtime.Object, subresource ...string) error {
	r, err := apply.NewRequest(e.client, configuration)
	if err != nil {
		return err
	}
	// ToPatchOptions always sets force, so there is always a parameter.
	r = e.patchParams(e.to(r).Name(name).SubResource(subresource...), opts.ToPatchOptions())
	return r.Do(ctx).Into(into)
}

// The functions below move their options to the heap, which is why they are
// apart from those that call them only if there is something to say.

func (e *endpoint) getParams(r *rest.Request, opts metav1.GetOptions) *rest.Request {
	return r.VersionedParams(&opts, e.codec)
}

func (e *endpoint) createParams(r *rest.Request, opts metav1.CreateOptions) *rest.Request {
	return r.VersionedParams(&opts, e.codec)
}

func (e *endpoint) updateParams(r *rest.Request, opts metav1.UpdateOptions) *rest.Request {
	return r.VersionedParams(&opts, e.codec)
}

func (e *endpoint) patchParams(r *rest.Request, opts metav1.PatchOptions) *rest.Request {
	return r.VersionedParams(&opts, e.codec)
}

// listParams also bounds the request by the time after which the server is
// asked to end it.
func (e *endpoint) listParams(r *rest.Request, opts metav1.ListOptions) *rest.Request {
	if opts == (metav1.ListOptions{}) {
		return r
	}
	o := opts
	r = r.VersionedParams(&o, e.codec)
	if o.TimeoutSeconds != nil {
		r = r.Timeout(time.Duration(*o.TimeoutSeconds) * time.Second)
	}
	return r
}

// Options with slices cannot be compared with ==.

func zeroCreateOptions(o *metav1.CreateOptions) bool {
	return o.TypeMeta == (metav1.TypeMeta{}) && len(o.DryRun) == 0 && o.FieldManager == "" && o.FieldValidation == ""
}

func zeroUpdateOptions(o *metav1.UpdateOptions) bool {
	return o.TypeMeta == (metav1.TypeMeta{}) && len(o.DryRun) == 0 && o.FieldManager == "" && o.FieldValidation == ""
}

func zeroPatchOptions(o *metav1.PatchOptions) bool {
	return o.TypeMeta == (metav1.TypeMeta{}) && len(o.DryRun) == 0 && o.Force == nil && o.FieldManager == "" && o.FieldValidation == ""
}
