package dynamic

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func TestEachVerbSendsItsRequest(t *testing.T) {
	const del = `{"kind":"DeleteOptions","apiVersion":"v1"`
	type result = *unstructured.Unstructured
	ctx := t.Context()
	for _, tc := range []struct {
		name string
		call func(c ResourceInterface) (result, error)
		line string
		body string
		form string
	}{
		{"get", func(c ResourceInterface) (result, error) { return c.Get(ctx, "web", metav1.GetOptions{}) },
			"GET /api/v1/namespaces/ns/pods/web", "", ""},
		{"get a subresource", func(c ResourceInterface) (result, error) {
			return c.Get(ctx, "web", metav1.GetOptions{ResourceVersion: "1"}, "a", "b")
		}, "GET /api/v1/namespaces/ns/pods/web/a/b?resourceVersion=1", "", ""},
		{"create", func(c ResourceInterface) (result, error) { return c.Create(ctx, pod("web"), metav1.CreateOptions{}) },
			"POST /api/v1/namespaces/ns/pods", podJSON + "\n", jsonType},
		{"create a subresource", func(c ResourceInterface) (result, error) {
			return c.Create(ctx, pod("web"), metav1.CreateOptions{DryRun: []string{"All"}, FieldManager: "me"}, "eviction")
		}, "POST /api/v1/namespaces/ns/pods/web/eviction?dryRun=All&fieldManager=me", podJSON + "\n", jsonType},
		{"update", func(c ResourceInterface) (result, error) { return c.Update(ctx, pod("web"), metav1.UpdateOptions{}) },
			"PUT /api/v1/namespaces/ns/pods/web", podJSON + "\n", jsonType},
		{"update a subresource", func(c ResourceInterface) (result, error) {
			return c.Update(ctx, pod("web"), metav1.UpdateOptions{FieldValidation: "Warn"}, "scale")
		}, "PUT /api/v1/namespaces/ns/pods/web/scale?fieldValidation=Warn", podJSON + "\n", jsonType},
		{"update status", func(c ResourceInterface) (result, error) {
			return c.UpdateStatus(ctx, pod("web"), metav1.UpdateOptions{})
		}, "PUT /api/v1/namespaces/ns/pods/web/status", podJSON + "\n", jsonType},
		{"delete", func(c ResourceInterface) (result, error) { return nil, c.Delete(ctx, "web", metav1.DeleteOptions{}) },
			"DELETE /api/v1/namespaces/ns/pods/web", del + "}\n", jsonType},
		{"delete a subresource", func(c ResourceInterface) (result, error) {
			return nil, c.Delete(ctx, "web", metav1.DeleteOptions{GracePeriodSeconds: ptr(int64(3))}, "x")
		}, "DELETE /api/v1/namespaces/ns/pods/web/x", del + `,"gracePeriodSeconds":3}` + "\n", jsonType},
		{"delete a collection", func(c ResourceInterface) (result, error) {
			return nil, c.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "a=b"})
		}, "DELETE /api/v1/namespaces/ns/pods?labelSelector=a%3Db", del + "}\n", jsonType},
		{"patch", func(c ResourceInterface) (result, error) {
			return c.Patch(ctx, "web", types.MergePatchType, []byte("{}"), metav1.PatchOptions{FieldManager: "me"}, "status")
		}, "PATCH /api/v1/namespaces/ns/pods/web/status?fieldManager=me", "{}", "application/merge-patch+json"},
		{"apply", func(c ResourceInterface) (result, error) {
			return c.Apply(ctx, "web", pod("web"), metav1.ApplyOptions{FieldManager: "me", Force: true})
		}, "PATCH /api/v1/namespaces/ns/pods/web?fieldManager=me&force=true", podJSON, "application/apply-patch+yaml"},
		{"apply status", func(c ResourceInterface) (result, error) {
			return c.ApplyStatus(ctx, "web", pod("web"), metav1.ApplyOptions{FieldManager: "me"})
		}, "PATCH /api/v1/namespaces/ns/pods/web/status?fieldManager=me&force=false", podJSON, "application/apply-patch+yaml"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &server{answer: aPod}
			got, err := tc.call(serve(t, s).Resource(pods).Namespace("ns"))
			if err != nil {
				t.Fatal(err)
			}
			if want := (request{tc.line, tc.body, tc.form, jsonType}); s.takeLast() != want {
				t.Errorf("sent\n%+v, want\n%+v", s.last, want)
			}
			want := &unstructured.Unstructured{Object: map[string]any{
				"kind": "Pod", "apiVersion": "v1", "metadata": map[string]any{"name": "web", "generation": int64(7)}, "weight": 1.5,
			}}
			if got != nil && !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestListFillsInTheKindOfItems(t *testing.T) {
	s := &server{answer: `{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"5","continue":"more"},` +
		`"items":[{"metadata":{"name":"a"}},{"kind":"Other","apiVersion":"x/v1","metadata":{"name":"b"}}]}`}
	list, err := serve(t, s).Resource(deployments).List(t.Context(), metav1.ListOptions{Limit: 2, TimeoutSeconds: ptr(int64(7))})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.takeLast().line, "GET /apis/apps/v1/deployments?limit=2&timeoutSeconds=7"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	want := &unstructured.UnstructuredList{
		Object: map[string]any{"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": map[string]any{"resourceVersion": "5", "continue": "more"}},
		Items: []unstructured.Unstructured{
			{Object: map[string]any{"kind": "Deployment", "apiVersion": "apps/v1", "metadata": map[string]any{"name": "a"}}},
			{Object: map[string]any{"kind": "Other", "apiVersion": "x/v1", "metadata": map[string]any{"name": "b"}}},
		},
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("got\n%v, want\n%v", list, want)
	}
}

func TestWatchDeliversObjectsAndStatuses(t *testing.T) {
	s := &server{answer: `{"type":"ADDED","object":` + aPod + `}
{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"9"}}}
{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":410,"reason":"Expired"}}`}
	w, err := serve(t, s).Resource(pods).Watch(t.Context(), metav1.ListOptions{ResourceVersion: "3"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if got, want := s.takeLast().line, "GET /api/v1/pods?resourceVersion=3&watch=true"; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	next := func(want watch.EventType) runtime.Object {
		e, ok := <-w.ResultChan()
		if !ok || e.Type != want {
			t.Fatalf("got %v, %v; want %s", e, ok, want)
		}
		return e.Object
	}
	if got := next(watch.Added).(*unstructured.Unstructured); got.GetName() != "web" || got.GetGeneration() != 7 {
		t.Errorf("added %v", got)
	}
	if got := next(watch.Bookmark).(*unstructured.Unstructured); got.GetResourceVersion() != "9" {
		t.Errorf("bookmark %v", got)
	}
	if err := apierrors.FromObject(next(watch.Error)); !apierrors.IsResourceExpired(err) {
		t.Errorf("error %v, want expired", err)
	}
	if e, ok := <-w.ResultChan(); ok {
		t.Errorf("got %v after the end", e)
	}
}

func TestErrorsOfTheServerAreTyped(t *testing.T) {
	s := &server{status: http.StatusNotFound, answer: `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"no such pod"}`}
	c := serve(t, s).Resource(pods).Namespace("ns")
	ctx := t.Context()
	calls := map[string]func() (bool, error){
		"get":   func() (bool, error) { o, err := c.Get(ctx, "web", metav1.GetOptions{}); return o == nil, err },
		"list":  func() (bool, error) { o, err := c.List(ctx, metav1.ListOptions{}); return o == nil, err },
		"watch": func() (bool, error) { o, err := c.Watch(ctx, metav1.ListOptions{}); return o == nil, err },
		"create": func() (bool, error) {
			o, err := c.Create(ctx, pod("web"), metav1.CreateOptions{})
			return o == nil, err
		},
		"delete": func() (bool, error) { return true, c.Delete(ctx, "web", metav1.DeleteOptions{}) },
	}
	for name, call := range calls {
		if isNil, err := call(); !isNil || !apierrors.IsNotFound(err) {
			t.Errorf("%s: %v, want not found and no object", name, err)
		}
	}
}

// Servers other than kube-apiserver may name the group that a status is defined in.
func TestStatusMayNameItsGroup(t *testing.T) {
	const status = `{"kind":"Status","apiVersion":"meta.k8s.io/v1","status":"Failure","reason":"AlreadyExists","code":409,"message":"why"}`
	refused := serve(t, &server{status: http.StatusConflict, answer: status}).Resource(pods)
	if _, err := refused.Get(t.Context(), "web", metav1.GetOptions{}); !apierrors.IsAlreadyExists(err) || err.Error() != "why" {
		t.Errorf("get: %v", err)
	}
	w, err := serve(t, &server{answer: `{"type":"ERROR","object":` + status + `}`}).Resource(pods).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if err := apierrors.FromObject((<-w.ResultChan()).Object); !apierrors.IsAlreadyExists(err) {
		t.Errorf("watch: %v", err)
	}
}

// A resource of some group may be called Status, and is what it is.
func TestResourceCalledStatusIsNone(t *testing.T) {
	const object = `{"kind":"Status","apiVersion":"example.com/v1","metadata":{"name":"s"},"status":{"code":5}}`
	w, err := serve(t, &server{answer: `{"type":"ADDED","object":` + object + `}`}).Resource(pods).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if got, ok := (<-w.ResultChan()).Object.(*unstructured.Unstructured); !ok || got.GetName() != "s" {
		t.Errorf("got %v", got)
	}
}

func TestUnusableArgumentsAreNotSent(t *testing.T) {
	s := &server{answer: aPod}
	client := serve(t, s)
	c, elsewhere := client.Resource(pods).Namespace("ns"), client.Resource(pods).Namespace("a/b")
	ctx := t.Context()
	managed := pod("web")
	managed.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "x"}})
	only := func(_ any, err error) error { return err }
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"get without name", only(c.Get(ctx, "", metav1.GetOptions{})), "name is required"},
		{"get the parent", only(c.Get(ctx, "..", metav1.GetOptions{})), `invalid resource name ".."`},
		{"get in no namespace", only(elsewhere.Get(ctx, "web", metav1.GetOptions{})), `invalid namespace "a/b"`},
		{"list in no namespace", only(elsewhere.List(ctx, metav1.ListOptions{})), `invalid namespace "a/b"`},
		{"watch in no namespace", only(elsewhere.Watch(ctx, metav1.ListOptions{})), `invalid namespace "a/b"`},
		{"create in no namespace", only(elsewhere.Create(ctx, pod("web"), metav1.CreateOptions{})), `invalid namespace "a/b"`},
		{"create nil", only(c.Create(ctx, nil, metav1.CreateOptions{})), "nil"},
		{"create a subresource without name", only(c.Create(ctx, pod(""), metav1.CreateOptions{}, "x")), "name is required"},
		{"create what has no JSON", only(c.Create(ctx, &unstructured.Unstructured{Object: map[string]any{"a": make(chan int)}}, metav1.CreateOptions{})), "unsupported type"},
		{"update nil", only(c.Update(ctx, nil, metav1.UpdateOptions{})), "nil"},
		{"update without name", only(c.Update(ctx, pod(""), metav1.UpdateOptions{})), "name is required"},
		{"update status without name", only(c.UpdateStatus(ctx, pod(""), metav1.UpdateOptions{})), "name is required"},
		{"patch without name", only(c.Patch(ctx, "", types.MergePatchType, nil, metav1.PatchOptions{})), "name is required"},
		{"delete without name", c.Delete(ctx, "", metav1.DeleteOptions{}), "name is required"},
		{"delete what leads elsewhere", c.Delete(ctx, "a/b", metav1.DeleteOptions{}), `invalid resource name "a/b"`},
		{"delete all in no namespace", elsewhere.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}), `invalid namespace "a/b"`},
		{"apply without name", only(c.Apply(ctx, "", pod("web"), metav1.ApplyOptions{})), "name is required"},
		{"apply nil", only(c.Apply(ctx, "web", nil, metav1.ApplyOptions{})), "nil"},
		{"apply managed fields", only(c.Apply(ctx, "web", managed, metav1.ApplyOptions{})), "managed fields"},
		{"apply status without name", only(c.ApplyStatus(ctx, "", pod("web"), metav1.ApplyOptions{})), "name is required"},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.name, tc.err, tc.want)
		}
	}
	if last := s.takeLast(); last != (request{}) {
		t.Errorf("sent %+v", last)
	}
}

func TestAnAnswerInAnotherFormatIsAnError(t *testing.T) {
	c := serve(t, &server{answer: "kind: Pod", format: "application/yaml"}).Resource(pods)
	if o, err := c.Get(t.Context(), "web", metav1.GetOptions{}); o != nil || err == nil {
		t.Errorf("got %v, %v", o, err)
	}
}
