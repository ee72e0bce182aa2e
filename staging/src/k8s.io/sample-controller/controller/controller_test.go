package controller_test

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"

	"k8s.io/sample-controller/apis/pages/v1alpha1"
	"k8s.io/sample-controller/controller"
	pagesapply "k8s.io/sample-controller/generated/applyconfiguration/pages/v1alpha1"
	pagesfake "k8s.io/sample-controller/generated/clientset/versioned/fake"
)

// The program is tested against a real server in the monorepo's hack/e2e. This is how
// one tests with clients that keep objects in memory.
func TestAPageIsPublished(t *testing.T) {
	page := &v1alpha1.Page{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "hello", UID: "1", Generation: 3},
		Spec:       v1alpha1.PageSpec{Title: "A & B", Text: "One.\n\nTwo."},
	}
	pages, core, recorder := pagesfake.NewClientset(page), fake.NewClientset(), record.NewFakeRecorder(10)
	c, err := controller.New(controller.Options{Pages: pages, ConfigMaps: core.CoreV1(), Recorder: recorder})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	updates, err := pages.PagesV1alpha1().Pages("default").Watch(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer updates.Stop()
	done := make(chan error)
	go func() { done <- c.Run(ctx, 1) }()

	if event := <-recorder.Events; !strings.Contains(event, "Wrote ConfigMap hello") {
		t.Errorf("the event is %q", event)
	}
	got := page
	for got.Status.ObservedGeneration == 0 { // the watch begins with the page as it is
		got = (<-updates.ResultChan()).Object.(*v1alpha1.Page)
	}
	if status := got.Status; status.ObservedGeneration != 3 || status.ConfigMap != "hello" || len(status.Conditions) != 1 {
		t.Errorf("the status is %v", status)
	}
	if got.Spec.Title != "A & B" {
		t.Errorf("applying the status has made the title %q", got.Spec.Title)
	}
	if own, err := pagesapply.ExtractPage(got, controller.Name); err != nil || own.Status == nil || len(own.Status.Conditions) != 1 {
		t.Errorf("the controller is not known to have set the status: %v, %v", got.ManagedFields, err)
	}
	configMap, err := core.CoreV1().ConfigMaps("default").Get(ctx, "hello", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := "<!DOCTYPE html>\n<title>A &amp; B</title>\n<h1>A &amp; B</h1>\n<p>One.</p>\n<p>Two.</p>\n"
	if got := configMap.Data["index.html"]; got != want {
		t.Errorf("the page is %q", got)
	}
	if !metav1.IsControlledBy(configMap, page) {
		t.Errorf("the owners are %v", configMap.OwnerReferences)
	}
	cancel()
	if err := <-done; err != nil || c.Running() {
		t.Errorf("at the end: %v, running: %v", err, c.Running())
	}
}
