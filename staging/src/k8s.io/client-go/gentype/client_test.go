package gentype_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/gentype"
)

const aPod = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","resourceVersion":"7"}}`

func TestEachVerbSendsItsRequest(t *testing.T) {
	const (
		json    = "application/json"
		podBody = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web"},"spec":{"containers":null},"status":{}}` + "\n"
		delBody = `{"kind":"DeleteOptions","apiVersion":"v1"}` + "\n"
	)
	result := func(pod *corev1.Pod, err error) (string, error) { return pod.Name + "@" + pod.ResourceVersion, err }
	none := func(err error) (string, error) { return "", err }
	ctx := t.Context()
	for _, tc := range []struct {
		name   string
		call   func(c *podClient) (string, error)
		want   request
		result string
	}{
		{"get", func(c *podClient) (string, error) { return result(c.Get(ctx, "web", metav1.GetOptions{})) },
			request{line: "GET /api/v1/namespaces/ns/pods/web"}, "web@7"},
		{"get with options", func(c *podClient) (string, error) {
			return result(c.Get(ctx, "web", metav1.GetOptions{ResourceVersion: "5"}))
		}, request{line: "GET /api/v1/namespaces/ns/pods/web?resourceVersion=5"}, "web@7"},
		{"create", func(c *podClient) (string, error) { return result(c.Create(ctx, named("web"), metav1.CreateOptions{})) },
			request{line: "POST /api/v1/namespaces/ns/pods", body: podBody, format: json}, "web@7"},
		{"create with options", func(c *podClient) (string, error) {
			return result(c.Create(ctx, named("web"), metav1.CreateOptions{DryRun: []string{"All"}, FieldManager: "me"}))
		}, request{line: "POST /api/v1/namespaces/ns/pods?dryRun=All&fieldManager=me", body: podBody, format: json}, "web@7"},
		{"update", func(c *podClient) (string, error) { return result(c.Update(ctx, named("web"), metav1.UpdateOptions{})) },
			request{line: "PUT /api/v1/namespaces/ns/pods/web", body: podBody, format: json}, "web@7"},
		{"update status", func(c *podClient) (string, error) {
			return result(c.UpdateStatus(ctx, named("web"), metav1.UpdateOptions{FieldValidation: "Strict"}))
		}, request{line: "PUT /api/v1/namespaces/ns/pods/web/status?fieldValidation=Strict", body: podBody, format: json}, "web@7"},
		{"delete", func(c *podClient) (string, error) { return none(c.Delete(ctx, "web", metav1.DeleteOptions{})) },
			request{line: "DELETE /api/v1/namespaces/ns/pods/web", body: delBody, format: json}, ""},
		{"delete with options", func(c *podClient) (string, error) {
			return none(c.Delete(ctx, "web", metav1.DeleteOptions{GracePeriodSeconds: ptr(int64(3))}))
		}, request{line: "DELETE /api/v1/namespaces/ns/pods/web",
			body: `{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":3}` + "\n", format: json}, ""},
		{"patch", func(c *podClient) (string, error) {
			return result(c.Patch(ctx, "web", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{}))
		}, request{line: "PATCH /api/v1/namespaces/ns/pods/web", body: "{}", format: "application/merge-patch+json"}, "web@7"},
		{"patch a subresource", func(c *podClient) (string, error) {
			return result(c.Patch(ctx, "web", types.JSONPatchType, []byte(`[]`), metav1.PatchOptions{FieldManager: "me"}, "a", "b"))
		}, request{line: "PATCH /api/v1/namespaces/ns/pods/web/a/b?fieldManager=me", body: "[]", format: "application/json-patch+json"}, "web@7"},
		{"apply", func(c *podClient) (string, error) {
			return result(c.Apply(ctx, &podApply{Name: ptr("web")}, metav1.ApplyOptions{FieldManager: "me", Force: true}))
		}, request{line: "PATCH /api/v1/namespaces/ns/pods/web?fieldManager=me&force=true", body: `{"name":"web"}`, format: "application/apply-patch+yaml"}, "web@7"},
		{"apply status", func(c *podClient) (string, error) {
			return result(c.ApplyStatus(ctx, &podApply{Name: ptr("web")}, metav1.ApplyOptions{FieldManager: "me"}))
		}, request{line: "PATCH /api/v1/namespaces/ns/pods/web/status?fieldManager=me&force=false", body: `{"name":"web"}`, format: "application/apply-patch+yaml"}, "web@7"},
		{"delete a collection", func(c *podClient) (string, error) {
			return none(c.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "a=b", TimeoutSeconds: ptr(int64(9))}))
		}, request{line: "DELETE /api/v1/namespaces/ns/pods?labelSelector=a%3Db&timeout=9s&timeoutSeconds=9", body: delBody, format: json}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &server{status: http.StatusOK, answer: aPod}
			got, err := tc.call(pods(t, s, "ns"))
			if err != nil {
				t.Fatal(err)
			}
			last := s.takeLast()
			last.accept = ""
			if last != tc.want {
				t.Errorf("sent\n%+v, want\n%+v", last, tc.want)
			}
			if got != tc.result {
				t.Errorf("got %q, want %q", got, tc.result)
			}
		})
	}
}

func TestListReturnsTheList(t *testing.T) {
	s := &server{status: http.StatusOK, answer: `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}`}
	c := pods(t, s, "")
	list, err := c.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.takeLast().line; got != "GET /api/v1/pods" {
		t.Errorf("sent %s", got)
	}
	if list.ResourceVersion != "9" || len(list.Items) != 2 || list.Items[1].Name != "b" {
		t.Errorf("got %v", list)
	}
	if _, err := c.List(t.Context(), metav1.ListOptions{FieldSelector: "spec.nodeName=n", Limit: 5, TimeoutSeconds: ptr(int64(4))}); err != nil {
		t.Fatal(err)
	}
	if got := s.takeLast().line; got != "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn&limit=5&timeout=4s&timeoutSeconds=4" {
		t.Errorf("sent %s", got)
	}
}

func TestWatchDeliversEvents(t *testing.T) {
	s := &server{status: http.StatusOK, answer: `{"type":"ADDED","object":` + aPod + `}` + "\n" + `{"type":"DELETED","object":` + aPod + `}`}
	w, err := pods(t, s, "ns").Watch(t.Context(), metav1.ListOptions{ResourceVersion: "3", AllowWatchBookmarks: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if got := s.takeLast().line; got != "GET /api/v1/namespaces/ns/pods?allowWatchBookmarks=true&resourceVersion=3&watch=true" {
		t.Errorf("sent %s", got)
	}
	var events []watch.EventType
	for e := range w.ResultChan() {
		events = append(events, e.Type)
		if name := e.Object.(*corev1.Pod).Name; name != "web" {
			t.Errorf("%s of %q", e.Type, name)
		}
	}
	if len(events) != 2 || events[0] != watch.Added || events[1] != watch.Deleted {
		t.Errorf("got %v", events)
	}
}

func TestErrorsOfTheServerAreTyped(t *testing.T) {
	s := &server{status: http.StatusNotFound, answer: `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"no such pod"}`}
	c := pods(t, s, "ns")
	ctx := t.Context()
	pod, err := c.Get(ctx, "web", metav1.GetOptions{})
	if pod == nil || !apierrors.IsNotFound(err) {
		t.Errorf("get: %v, %v; want an empty object and not found", pod, err)
	}
	list, err := c.List(ctx, metav1.ListOptions{})
	if list == nil || !apierrors.IsNotFound(err) {
		t.Errorf("list: %v, %v; want an empty list and not found", list, err)
	}
	if w, err := c.Watch(ctx, metav1.ListOptions{}); w != nil || !apierrors.IsNotFound(err) {
		t.Errorf("watch: %v, %v; want nil and not found", w, err)
	}
	if err := c.Delete(ctx, "web", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("delete: %v, want not found", err)
	}
	if _, err := c.Apply(ctx, &podApply{Name: ptr("web")}, metav1.ApplyOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("apply: %v, want not found", err)
	}
}

func TestUnusableArgumentsAreNotSent(t *testing.T) {
	s := &server{status: http.StatusOK, answer: aPod}
	c := pods(t, s, "ns")
	ctx := t.Context()
	for _, tc := range []struct {
		name string
		call func() (*corev1.Pod, error)
		want string
	}{
		{"get without name", func() (*corev1.Pod, error) { return c.Get(ctx, "", metav1.GetOptions{}) }, "name may not be empty"},
		{"update without name", func() (*corev1.Pod, error) { return c.Update(ctx, newPod(), metav1.UpdateOptions{}) }, "name may not be empty"},
		{"apply nil", func() (*corev1.Pod, error) { return c.Apply(ctx, nil, metav1.ApplyOptions{}) }, "must not be nil"},
		{"apply status of nil", func() (*corev1.Pod, error) { return c.ApplyStatus(ctx, nil, metav1.ApplyOptions{}) }, "must not be nil"},
		{"apply without name", func() (*corev1.Pod, error) { return c.Apply(ctx, &podApply{}, metav1.ApplyOptions{}) }, "Name must be provided"},
		{"apply status without name", func() (*corev1.Pod, error) { return c.ApplyStatus(ctx, &podApply{}, metav1.ApplyOptions{}) }, "Name must be provided"},
		{"apply what has no JSON", func() (*corev1.Pod, error) {
			return c.Apply(ctx, &podApply{Name: ptr("x"), Spec: make(chan int)}, metav1.ApplyOptions{})
		}, "unsupported type"},
	} {
		if _, err := tc.call(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
		}
		if last := s.takeLast(); last != (request{}) {
			t.Errorf("%s: sent %+v", tc.name, last)
		}
	}
}

func TestProtobufIsAskedForByPreferenceOnly(t *testing.T) {
	s := &server{status: http.StatusOK, answer: aPod}
	if _, err := pods(t, s, "ns").Get(t.Context(), "web", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := s.takeLast().accept; strings.Contains(got, "protobuf") {
		t.Errorf("Accept: %s without preference", got)
	}
	c := pods(t, s, "ns", gentype.PrefersProtobuf[*corev1.Pod]())
	if _, err := c.Create(t.Context(), named("web"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	last := s.takeLast()
	if last.accept != "application/vnd.kubernetes.protobuf,application/json" {
		t.Errorf("Accept: %s", last.accept)
	}
	if last.format != "application/vnd.kubernetes.protobuf" || !strings.HasPrefix(last.body, "k8s\x00") {
		t.Errorf("the body is %q, of type %s", last.body, last.format)
	}
}

func TestEveryConstructorMakesAWorkingClient(t *testing.T) {
	s := &server{status: http.StatusOK, answer: aPod}
	rc, codec := restClient(t, s), runtime.NewParameterCodec(scheme)
	plain := gentype.NewClient("pods", rc, codec, "ns", newPod)
	lister := gentype.NewClientWithList("pods", rc, codec, "ns", newPod, newPodList)
	applier := gentype.NewClientWithApply[*corev1.Pod, *podApply]("pods", rc, codec, "ns", newPod)
	both := gentype.NewClientWithListAndApply[*corev1.Pod, *corev1.PodList, *podApply]("pods", rc, codec, "ns", newPod, newPodList)
	for name, c := range map[string]interface {
		Get(context.Context, string, metav1.GetOptions) (*corev1.Pod, error)
		GetNamespace() string
	}{"plain": plain, "list": lister, "apply": applier, "list and apply": both} {
		if pod, err := c.Get(t.Context(), "web", metav1.GetOptions{}); err != nil || pod.Name != "web" {
			t.Errorf("%s: got %v, %v", name, pod, err)
		}
		if c.GetNamespace() != "ns" {
			t.Errorf("%s: namespace %q", name, c.GetNamespace())
		}
	}
	if plain.GetClient() != rc || both.Client.GetClient() != rc {
		t.Error("GetClient returns another client than the one given")
	}
	if err := lister.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Errorf("delete collection: %v", err)
	}
	if pod, err := applier.Apply(t.Context(), &podApply{Name: ptr("web")}, metav1.ApplyOptions{}); err != nil || pod.Name != "web" {
		t.Errorf("apply: got %v, %v", pod, err)
	}
}

func BenchmarkGet(b *testing.B) {
	c := pods(b, &server{status: http.StatusOK, answer: aPod}, "ns")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(b.Context(), "web", metav1.GetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
