package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/util/retry"
)

// Groups that an API server has and that the library has no typed client for:
// k8s.io/apiextensions-apiserver and k8s.io/kube-aggregator have them.
var untyped = []string{"apiextensions.k8s.io", "apiregistration.k8s.io"}

// hasTypedClient tells Kubernetes' own groups from those of custom resources, of
// which other tests make some.
func hasTypedClient(group string) bool {
	return !slices.Contains(untyped, group) && (!strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io"))
}

// ownCases are resources that cannot go through the common life of a resource, and
// the tests that they have instead.
var ownCases = map[schema.GroupResource]string{
	{Resource: "bindings"}:                                                 "TestPodIsBoundThroughBindings",
	{Resource: "componentstatuses"}:                                        "TestComponentStatusesAreRead",
	{Group: "authentication.k8s.io", Resource: "selfsubjectreviews"}:       "TestReviews",
	{Group: "authentication.k8s.io", Resource: "tokenreviews"}:             "TestReviews",
	{Group: "authorization.k8s.io", Resource: "localsubjectaccessreviews"}: "TestReviews",
	{Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews"}:  "TestReviews",
	{Group: "authorization.k8s.io", Resource: "selfsubjectrulesreviews"}:   "TestReviews",
	{Group: "authorization.k8s.io", Resource: "subjectaccessreviews"}:      "TestReviews",
}

// discovered is a resource with its sub-resources.
type discovered struct {
	metav1.APIResource
	gvr          schema.GroupVersionResource
	subresources []string
}

// discover lists what the server has, of groups with typed clients.
func discover(t *testing.T) []*discovered {
	t.Helper()
	_, lists, err := clientset(t, adminConfig(t)).Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	byGVR := map[schema.GroupVersionResource]*discovered{}
	for _, subresources := range []bool{false, true} {
		for _, list := range lists {
			gv, err := schema.ParseGroupVersion(list.GroupVersion)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list.APIResources {
				name, sub, isSub := strings.Cut(r.Name, "/")
				gvr := gv.WithResource(name)
				switch {
				case isSub != subresources:
				case isSub:
					byGVR[gvr].subresources = append(byGVR[gvr].subresources, sub)
				default:
					byGVR[gvr] = &discovered{APIResource: r, gvr: gvr}
				}
			}
		}
	}
	all := slices.Collect(maps.Values(byGVR))
	slices.SortFunc(all, func(a, b *discovered) int { return strings.Compare(a.gvr.String(), b.gvr.String()) })
	return all
}

func TestEveryResourceOfTheServerLivesThroughItsTypedClient(t *testing.T) {
	t.Parallel()
	resources := discover(t)
	if len(resources) < 50 {
		t.Fatalf("discovery lists %d resources only", len(resources))
	}
	for _, encoding := range []struct{ name, contentType string }{
		{"json", runtime.ContentTypeJSON},
		{"protobuf", runtime.ContentTypeProtobuf},
	} {
		for _, r := range resources {
			if !hasTypedClient(r.gvr.Group) || ownCases[r.gvr.GroupResource()] != "" {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s.%s", encoding.name, r.Name, r.gvr.GroupVersion()), func(t *testing.T) {
				t.Parallel()
				newLife(t, r, encoding.contentType).run()
			})
		}
	}
}

// TestTypedClientsOfAPIsThatAreNotServed: what the library has a client for and
// the server does not know (any more) is not found, as an error of that type.
func TestTypedClientsOfAPIsThatAreNotServed(t *testing.T) {
	t.Parallel()
	served := map[schema.GroupVersionResource]bool{}
	for _, r := range discover(t) {
		served[r.gvr] = true
	}
	n := 0
	for gvr, get := range typedClients(clientset(t, adminConfig(t))) {
		client := newTypedClient(get, "default")
		if served[gvr] || !client.has("List") {
			continue
		}
		n++
		if _, err := client.list(deadline(t), metav1.ListOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("list %s: %v, want a NotFound error", gvr, err)
		}
	}
	if n == 0 {
		t.Error("every typed client is served: the test looks at none")
	}
}

// life is what one resource goes through.
type life struct {
	*testing.T
	ctx         context.Context
	resource    *discovered
	client      typedClient
	sent        *recorder
	contentType string

	gvk       schema.GroupVersionKind
	namespace string
	label     string // every object of this life is labelled e2e=label
	path      string // of the collection
}

func newLife(t *testing.T, r *discovered, contentType string) *life {
	config := adminConfig(t)
	config.ContentType = contentType
	config.AcceptContentTypes = contentType
	l := &life{
		T: t, ctx: deadline(t), resource: r, sent: recordRequests(config), contentType: contentType,
		gvk:   r.gvr.GroupVersion().WithKind(r.Kind),
		label: fmt.Sprintf("life-%d", number()),
	}
	get, ok := typedClients(clientset(t, config))[r.gvr]
	if !ok {
		t.Fatalf("the library has no typed client for %s, which the server lists", r.gvr)
	}
	l.path = "/apis/" + r.gvr.GroupVersion().String() + "/"
	if r.gvr.Group == "" {
		l.path = "/api/" + r.gvr.Version + "/"
	}
	if r.Namespaced {
		if get.Type().NumIn() != 1 {
			t.Fatalf("%s is namespaced, and its typed client takes no namespace", r.gvr)
		}
		l.namespace = namespace(t)
		l.path += "namespaces/" + l.namespace + "/"
	} else if get.Type().NumIn() != 0 {
		t.Fatalf("%s is not namespaced, and its typed client takes a namespace", r.gvr)
	}
	l.path += r.Name
	l.client = newTypedClient(get, l.namespace)
	return l
}

func (l *life) selector() metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: "e2e=" + l.label}
}

// must fails the test on an error of a step, and checks the step's request.
func (l *life) must(step, method, path string, err error) {
	l.Helper()
	if err != nil {
		l.Fatalf("%s: %v", step, err)
	}
	l.sent.mustBe(l.T, method, path)
}

func (l *life) run() {
	for verb, method := range map[string]string{
		"create": "Create", "get": "Get", "list": "List", "watch": "Watch", "update": "Update",
		"patch": "Patch", "delete": "Delete", "deletecollection": "DeleteCollection",
	} {
		if l.gvk.GroupKind() == (schema.GroupKind{Kind: "Service"}) && verb == "deletecollection" {
			continue // the client is older than the verb
		}
		if slices.Contains(l.resource.Verbs, verb) != l.client.has(method) {
			l.Errorf("the server lists verbs %v, and whether the client has %s is %t", l.resource.Verbs, method, l.client.has(method))
		}
	}
	before, err := l.client.list(l.ctx, l.selector())
	l.must("list", "GET", l.path, err)
	if n := meta.LenList(before); n != 0 {
		l.Fatalf("%d objects there before the first was created", n)
	}
	listed, err := meta.ListAccessor(before)
	if err != nil {
		l.Fatal(err)
	}
	opts := l.selector()
	opts.ResourceVersion = listed.GetResourceVersion()
	watcher, err := l.client.watch(l.ctx, opts)
	l.must("watch", "GET", l.path, err)
	defer watcher.Stop()

	manifest := l.create()
	name := manifest.GetName()
	l.update(name)
	l.patch(name)
	l.apply(manifest)
	l.status(manifest)
	l.delete(name)
	l.events(watcher, manifest)
	l.deleteCollection()
}

// create makes an object, and reads it back, alone and listed.
func (l *life) create() *unstructured.Unstructured {
	manifest := newManifest(l.T, l.gvk, l.namespace, l.label)
	obj := l.client.newObject()
	fromManifest(l.T, manifest, obj)
	created, err := l.client.create(l.ctx, obj)
	l.must("create", "POST", l.path, err)
	if got := l.sent.sent().Header.Get("Content-Type"); got != l.contentType {
		l.Errorf("create: sent %s, want %s", got, l.contentType)
	}
	if got := l.sent.got().Header.Get("Content-Type"); got != l.contentType {
		l.Errorf("create: got %s, want %s", got, l.contentType)
	}
	mustContain(l.T, "created", created, manifest)

	got, err := l.client.get(l.ctx, manifest.GetName())
	l.must("get", "GET", l.path+"/"+manifest.GetName(), err)
	mustContain(l.T, "got", got, manifest)
	if uid := l.accessor(got).GetUID(); uid == "" || uid != l.accessor(created).GetUID() {
		l.Errorf("got UID %q, created %q", uid, l.accessor(created).GetUID())
	}

	list, err := l.client.list(l.ctx, l.selector())
	l.must("list", "GET", l.path, err)
	items, err := meta.ExtractList(list)
	if err != nil {
		l.Fatal(err)
	}
	if len(items) != 1 {
		l.Fatalf("listed %d objects, want the one created", len(items))
	}
	mustContain(l.T, "listed", items[0], manifest)
	if want, got := reflect.TypeOf(obj), reflect.TypeOf(items[0]); want != got {
		l.Errorf("listed a %s, want %s", got, want)
	}
	if _, err := l.client.create(l.ctx, obj); !apierrors.IsAlreadyExists(err) {
		l.Errorf("create again: %v, want an AlreadyExists error", err)
	}
	return manifest
}

func (l *life) update(name string) {
	// Controllers inside the server update some objects as well.
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		obj, err := l.client.get(l.ctx, name)
		if err != nil {
			return err
		}
		labels := l.accessor(obj).GetLabels()
		labels["updated"] = "yes"
		l.accessor(obj).SetLabels(labels)
		updated, err := l.client.object("Update", l.ctx, obj, metav1.UpdateOptions{FieldManager: "e2e-update"})
		if err == nil {
			l.mustHaveLabel("update", updated, "updated", "yes")
		}
		return err
	})
	l.must("update", "PUT", l.path+"/"+name, err)

	stale, err := l.client.get(l.ctx, name)
	if err != nil {
		l.Fatal(err)
	}
	l.accessor(stale).SetResourceVersion("1")
	l.accessor(stale).SetLabels(map[string]string{"e2e": l.label, "stale": "yes"})
	if _, err := l.client.object("Update", l.ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		l.Errorf("update of an old version: %v, want a Conflict error", err)
	}
}

func (l *life) patch(name string) {
	for _, p := range []struct {
		kind  types.PatchType
		label string
		data  string
	}{
		{types.JSONPatchType, "json", `[{"op":"add","path":"/metadata/labels/json","value":"yes"}]`},
		{types.MergePatchType, "merge", `{"metadata":{"labels":{"merge":"yes"}}}`},
		{types.StrategicMergePatchType, "strategic", `{"metadata":{"labels":{"strategic":"yes"}}}`},
		{types.ApplyPatchType, "applied", fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: %q, labels: {applied: 'yes'}}\n", l.gvk.GroupVersion(), l.gvk.Kind, name)},
	} {
		opts := metav1.PatchOptions{}
		if p.kind == types.ApplyPatchType {
			opts.FieldManager = "e2e-patch"
		}
		patched, err := l.client.patch(l.ctx, name, p.kind, []byte(p.data), opts)
		l.must(string(p.kind), "PATCH", l.path+"/"+name, err)
		if got := l.sent.sent().Header.Get("Content-Type"); got != string(p.kind) {
			l.Errorf("%s: sent Content-Type %s", p.kind, got)
		}
		l.mustHaveLabel(string(p.kind), patched, p.label, "yes")
	}
}

// apply applies what the object was made of, through its apply configuration.
func (l *life) apply(manifest *unstructured.Unstructured) {
	whole, err := json.Marshal(manifest.Object)
	if err != nil {
		l.Fatal(err)
	}
	applied, err := l.client.apply(l.ctx, "Apply", whole)
	l.must("apply", "PATCH", l.path+"/"+manifest.GetName(), err)
	mustContain(l.T, "applied", applied, manifest)
	query := l.sent.sent().URL.Query()
	if query.Get("fieldManager") != "e2e-apply" || query.Get("force") != "true" {
		l.Errorf("apply: sent ?%s", query.Encode())
	}
	managed := slices.ContainsFunc(l.accessor(applied).GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager == "e2e-apply" && f.Operation == metav1.ManagedFieldsOperationApply
	})
	if !managed {
		l.Error("apply: the object's managed fields do not name the one who applied it")
	}
}

// status goes through the status sub-resource, where there is one.
func (l *life) status(manifest *unstructured.Unstructured) {
	if slices.Contains(l.resource.subresources, "status") != l.client.has("UpdateStatus") {
		l.Errorf("the server lists sub-resources %v, and whether the client has UpdateStatus is %t", l.resource.subresources, l.client.has("UpdateStatus"))
	}
	if !l.client.has("UpdateStatus") || !slices.Contains(l.resource.subresources, "status") {
		return
	}
	name := manifest.GetName()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		obj, err := l.client.get(l.ctx, name)
		if err != nil {
			return err
		}
		_, err = l.client.object("UpdateStatus", l.ctx, obj, metav1.UpdateOptions{})
		return err
	})
	l.must("update status", "PUT", l.path+"/"+name+"/status", err)

	bare := unstructured.Unstructured{Object: map[string]any{}}
	bare.SetGroupVersionKind(l.gvk)
	bare.SetName(name)
	bare.SetNamespace(l.namespace)
	data, err := json.Marshal(bare.Object)
	if err != nil {
		l.Fatal(err)
	}
	_, err = l.client.apply(l.ctx, "ApplyStatus", data)
	l.must("apply status", "PATCH", l.path+"/"+name+"/status", err)
}

func (l *life) delete(name string) {
	background := metav1.DeletePropagationBackground
	_, err := l.client.call("Delete", l.ctx, name, metav1.DeleteOptions{PropagationPolicy: &background})
	l.must("delete", "DELETE", l.path+"/"+name, err)
	l.finalize(name)
	eventually(l.T, "get of what was deleted", func(ctx context.Context) error {
		if obj, err := l.client.get(ctx, name); !apierrors.IsNotFound(err) {
			return fmt.Errorf("%v, %v; want a NotFound error", obj, err)
		}
		return nil
	})
	if _, err := l.client.call("Delete", l.ctx, name, metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		l.Errorf("delete again: %v, want a NotFound error", err)
	}
}

// finalize does what controllers would: it lets go of what waits for them.
func (l *life) finalize(name string) {
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		obj, err := l.client.get(l.ctx, name)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if l.accessor(obj).GetDeletionTimestamp() == nil {
			return fmt.Errorf("%s is still there, and is not going to be deleted", name)
		}
		if ns, ok := obj.(*corev1.Namespace); ok {
			ns.Spec.Finalizers = nil
			_, err = l.client.object("Finalize", l.ctx, ns, metav1.UpdateOptions{})
		} else {
			l.accessor(obj).SetFinalizers(nil)
			_, err = l.client.object("Update", l.ctx, obj, metav1.UpdateOptions{})
		}
		return err
	})
	if err != nil && !apierrors.IsNotFound(err) {
		l.Fatalf("finalize: %v", err)
	}
}

// events checks what the watch saw of the object's life.
func (l *life) events(watcher watch.Interface, manifest *unstructured.Unstructured) {
	var seen []watch.EventType
	labels := map[string]bool{}
	for {
		var event watch.Event
		var ok bool
		select {
		case event, ok = <-watcher.ResultChan():
		case <-l.ctx.Done():
			l.Fatalf("the watch has seen %v and no deletion", seen)
		}
		if !ok {
			l.Fatalf("the watch ended after %v", seen)
		}
		if event.Type == watch.Error {
			l.Fatalf("watch: %v", apierrors.FromObject(event.Object))
		}
		seen = append(seen, event.Type)
		if want, got := reflect.TypeOf(l.client.newObject()), reflect.TypeOf(event.Object); want != got {
			l.Fatalf("the watch gave a %s, want %s", got, want)
		}
		for label := range l.accessor(event.Object).GetLabels() {
			labels[label] = true
		}
		if len(seen) == 1 {
			mustContain(l.T, "watched", event.Object, manifest)
			if event.Type != watch.Added {
				l.Errorf("the watch's first event is %s, want ADDED", event.Type)
			}
		}
		if event.Type == watch.Deleted {
			break
		}
	}
	for _, label := range []string{"updated", "json", "merge", "strategic", "applied"} {
		if !labels[label] {
			l.Errorf("the watch saw no object with the label %q, only %v", label, seen)
		}
	}
}

func (l *life) deleteCollection() {
	if !l.client.has("DeleteCollection") {
		return
	}
	var names []string
	for range 2 {
		manifest := newManifest(l.T, l.gvk, l.namespace, l.label)
		obj := l.client.newObject()
		fromManifest(l.T, manifest, obj)
		if _, err := l.client.create(l.ctx, obj); err != nil {
			l.Fatal(err)
		}
		names = append(names, manifest.GetName())
	}
	background := metav1.DeletePropagationBackground
	_, err := l.client.call("DeleteCollection", l.ctx, metav1.DeleteOptions{PropagationPolicy: &background}, l.selector())
	l.must("delete collection", "DELETE", l.path, err)
	for _, name := range names {
		l.finalize(name)
	}
	eventually(l.T, "list of what was deleted", func(ctx context.Context) error {
		list, err := l.client.list(ctx, l.selector())
		if err == nil && meta.LenList(list) > 0 {
			err = fmt.Errorf("%d objects left", meta.LenList(list))
		}
		return err
	})
}

func (l *life) mustHaveLabel(step string, obj runtime.Object, label, value string) {
	l.Helper()
	if got := l.accessor(obj).GetLabels()[label]; got != value {
		l.Errorf("%s: the label %q is %q, want %q", step, label, got, value)
	}
}

func (l *life) accessor(obj runtime.Object) metav1.Object {
	l.Helper()
	accessor, err := meta.Accessor(obj)
	if err != nil {
		l.Fatal(err)
	}
	return accessor
}
