package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// failedError has an error for each pod that could not be deleted.
type failedError []error

func (e failedError) Error() string   { return errors.Join(e...).Error() }
func (e failedError) Unwrap() []error { return e }

// sweep deletes the pods all of whose containers ended before some time, and
// returns their names. It takes the interface of the one resource that it needs:
// so it says what it does, and anything can stand in for it in a test.
//
// A pod that cannot be deleted does not keep it from deleting others; the error
// is a failedError then. With dryRun the server is asked whether it would
// delete.
func sweep(ctx context.Context, pods corev1.PodInterface, before time.Time, dryRun bool) (deleted []string, err error) {
	list, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	options := metav1.DeleteOptions{}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	var failed failedError
	for i := range list.Items {
		pod := &list.Items[i]
		if !ended(pod, before) {
			continue
		}
		switch err := pods.Delete(ctx, pod.Name, options); {
		case apierrors.IsNotFound(err): // somebody was faster
		case err != nil:
			failed = append(failed, fmt.Errorf("delete pod %s: %w", pod.Name, err))
		default:
			deleted = append(deleted, pod.Name)
		}
	}
	if failed != nil {
		return deleted, failed
	}
	return deleted, nil
}

func ended(pod *v1.Pod, before time.Time) bool {
	if pod.Status.Phase != v1.PodSucceeded && pod.Status.Phase != v1.PodFailed {
		return false
	}
	// Where there are no containers, nothing tells when the pod ended.
	if len(pod.Status.ContainerStatuses) == 0 {
		return false
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Terminated == nil || !c.State.Terminated.FinishedAt.Time.Before(before) {
			return false
		}
	}
	return true
}
