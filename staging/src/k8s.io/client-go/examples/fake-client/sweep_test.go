package main

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func pod(name string, phase v1.PodPhase, age time.Duration) *v1.Pod {
	p := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "test", Name: name},
		Status:     v1.PodStatus{Phase: phase},
	}
	status := v1.ContainerStatus{Name: "main"}
	if phase == v1.PodSucceeded || phase == v1.PodFailed {
		status.State.Terminated = &v1.ContainerStateTerminated{FinishedAt: metav1.NewTime(now.Add(-age))}
	}
	p.Status.ContainerStatuses = []v1.ContainerStatus{status}
	return p
}

func somePods() []runtime.Object {
	elsewhere := pod("old", v1.PodFailed, 9*time.Hour)
	elsewhere.Namespace = "elsewhere"
	return []runtime.Object{
		pod("done", v1.PodSucceeded, 2*time.Hour),
		pod("fresh", v1.PodSucceeded, time.Minute),
		pod("broken", v1.PodFailed, 3*time.Hour),
		pod("busy", v1.PodRunning, 0),
		elsewhere,
	}
}

// remaining is what a namespace has left, as anyone can see who asks for it.
func remaining(t *testing.T, client *fake.Clientset, namespace string) []string {
	t.Helper()
	list, err := client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list.Items {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}

func TestPodsThatEndedLongAgoAreDeleted(t *testing.T) {
	client := fake.NewClientset(somePods()...)
	deleted, err := sweep(t.Context(), client.CoreV1().Pods("test"), now.Add(-time.Hour), false)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(deleted)
	if want := []string{"broken", "done"}; !slices.Equal(deleted, want) {
		t.Errorf("deleted %q, want %q", deleted, want)
	}
	if got, want := remaining(t, client, "test"), []string{"busy", "fresh"}; !slices.Equal(got, want) {
		t.Errorf("%q are left, want %q", got, want)
	}
	if got, want := remaining(t, client, "elsewhere"), []string{"old"}; !slices.Equal(got, want) {
		t.Errorf("in another namespace %q are left, want %q", got, want)
	}
}

// A fake keeps an account of what was asked of it. That is the way to test what
// leaves no trace in the objects.
func TestDryRunIsLeftToTheServer(t *testing.T) {
	client := fake.NewClientset(somePods()...)
	if _, err := sweep(t.Context(), client.CoreV1().Pods("test"), now.Add(-time.Hour), true); err != nil {
		t.Fatal(err)
	}
	deletions := 0
	for _, action := range client.Actions() {
		deletion, ok := action.(clienttesting.DeleteAction)
		if !ok {
			continue
		}
		deletions++
		if got := deletion.GetDeleteOptions().DryRun; !slices.Equal(got, []string{metav1.DryRunAll}) {
			t.Errorf("pod %s was deleted with dry run %q", deletion.GetName(), got)
		}
	}
	if deletions != 2 {
		t.Errorf("%d deletions, want 2", deletions)
	}
}

// A reactor answers in place of the fake's store. Those that are prepended come
// before it, the last of them first.
func TestOnePodThatCannotBeDeletedDoesNotSpareTheOthers(t *testing.T) {
	client := fake.NewClientset(somePods()...)
	client.PrependReactor("delete", "pods", func(action clienttesting.Action) (handled bool, _ runtime.Object, err error) {
		name := action.(clienttesting.DeleteAction).GetName()
		if name != "broken" {
			return false, nil, nil
		}
		return true, nil, apierrors.NewForbidden(v1.Resource("pods"), name, errors.New("not yours"))
	})
	deleted, err := sweep(t.Context(), client.CoreV1().Pods("test"), now.Add(-time.Hour), false)
	if want := []string{"done"}; !slices.Equal(deleted, want) {
		t.Errorf("deleted %q, want %q", deleted, want)
	}
	var failed failedError
	if !errors.As(err, &failed) || len(failed) != 1 || !apierrors.IsForbidden(failed[0]) {
		t.Errorf("got error %v, want one that says that pod broken may not be deleted", err)
	}
}

func TestPodThatIsGoneAlreadyIsNoError(t *testing.T) {
	client := fake.NewClientset(somePods()...)
	client.PrependReactor("delete", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(v1.Resource("pods"), action.(clienttesting.DeleteAction).GetName())
	})
	deleted, err := sweep(t.Context(), client.CoreV1().Pods("test"), now.Add(-time.Hour), false)
	if err != nil || deleted != nil {
		t.Errorf("got %q and error %v, want nothing", deleted, err)
	}
}

// A watch of a fake goes on from the resource version of a list, as one of a
// server does. Without a version it begins with an event for each object there is.
func TestDeletionsCanBeWatched(t *testing.T) {
	client := fake.NewClientset(somePods()...)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	pods := client.CoreV1().Pods("test")
	list, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := pods.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	deleted, err := sweep(ctx, pods, now.Add(-time.Hour), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range deleted {
		select {
		case event := <-watcher.ResultChan():
			if pod, ok := event.Object.(*v1.Pod); !ok || event.Type != watch.Deleted || pod.Name != name {
				t.Errorf("got event %s of %v, want that %s was deleted", event.Type, event.Object, name)
			}
		case <-ctx.Done():
			t.Fatalf("there was no event of %s", name)
		}
	}
}
