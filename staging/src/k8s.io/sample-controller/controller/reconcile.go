package controller

import (
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/tools/cache"

	"k8s.io/sample-controller/apis/pages/v1alpha1"
	apply "k8s.io/sample-controller/generated/applyconfiguration/pages/v1alpha1"
)

// reconcile makes the ConfigMap of a page what it should be, and has the page's status
// tell. An error means: try again later.
func (c *Controller) reconcile(ctx context.Context, name cache.ObjectName) error {
	page, err := c.pages.Pages(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) || err == nil && page.DeletionTimestamp != nil {
		return nil
	}
	if err != nil {
		return err
	}
	taken, err := c.write(ctx, page)
	if err != nil {
		return fmt.Errorf("writing the ConfigMap of page %s: %w", name, err)
	}
	if err := c.tell(ctx, page, taken); err != nil {
		return fmt.Errorf("writing the status of page %s: %w", name, err)
	}
	if taken {
		// ConfigMaps of others are not watched.
		c.queue.AddAfter(name, lookAgain)
	}
	return nil
}

// lookAgain is how long after a look at a name that is taken there is another one.
const lookAgain = 30 * time.Second

// write makes the ConfigMap what it should be. It reports whether there is one of this
// name that belongs to something else; that one is left alone.
func (c *Controller) write(ctx context.Context, page *v1alpha1.Page) (taken bool, err error) {
	known, found := c.configMaps.Store().Get(cache.MetaObjectToName(page))
	if found && metav1.IsControlledBy(known, page) && known.Labels[pageLabel] == page.Name && maps.Equal(known.Data, data(page)) {
		return false, nil
	}
	// The store has ConfigMaps of pages only. What else has this name, the server
	// knows.
	client := c.maps.ConfigMaps(page.Namespace)
	current, err := client.Get(ctx, page.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return false, err
	case !metav1.IsControlledBy(current, page):
		return true, nil
	}
	// Applying says which fields are this controller's. Others, labels that somebody
	// added for example, stay as they are. An owner reference has the ConfigMap
	// collected when the page is gone.
	_, err = client.Apply(ctx, applycorev1.ConfigMap(page.Name, page.Namespace).
		WithLabels(map[string]string{pageLabel: page.Name}).
		WithOwnerReferences(applymetav1.OwnerReference().
			WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).
			WithKind("Page").
			WithName(page.Name).
			WithUID(page.UID).
			WithController(true).
			WithBlockOwnerDeletion(true)).
		WithData(data(page)),
		metav1.ApplyOptions{FieldManager: Name, Force: true})
	if err != nil {
		return false, err
	}
	c.recorder.Eventf(page, corev1.EventTypeNormal, v1alpha1.ReasonWritten, "Wrote ConfigMap %s", page.Name)
	return false, nil
}

// tell writes the page's status, unless it says the same already.
func (c *Controller) tell(ctx context.Context, page *v1alpha1.Page, taken bool) error {
	status := page.Status.DeepCopy()
	status.ObservedGeneration = page.Generation
	condition := metav1.Condition{
		Type:               v1alpha1.ConditionPublished,
		Status:             metav1.ConditionTrue,
		ObservedGeneration: page.Generation,
		Reason:             v1alpha1.ReasonWritten,
		Message:            "The ConfigMap has what the spec says.",
	}
	status.ConfigMap = page.Name
	if taken {
		condition.Status, condition.Reason = metav1.ConditionFalse, v1alpha1.ReasonTaken
		condition.Message = fmt.Sprintf("ConfigMap %s belongs to something else.", page.Name)
		status.ConfigMap = ""
	}
	// The time of the transition changes only if the condition's status does.
	meta.SetStatusCondition(&status.Conditions, condition)
	if equality.Semantic.DeepEqual(*status, page.Status) {
		return nil
	}
	if taken {
		c.recorder.Event(page, corev1.EventTypeWarning, condition.Reason, condition.Message)
	}
	published := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionPublished)
	configuration := apply.PageStatus().
		WithObservedGeneration(status.ObservedGeneration).
		WithConditions(applymetav1.Condition().
			WithType(published.Type).
			WithStatus(published.Status).
			WithObservedGeneration(published.ObservedGeneration).
			WithLastTransitionTime(published.LastTransitionTime).
			WithReason(published.Reason).
			WithMessage(published.Message))
	if status.ConfigMap != "" {
		configuration.WithConfigMap(status.ConfigMap)
	}
	_, err := c.pageClient.PagesV1alpha1().Pages(page.Namespace).ApplyStatus(ctx,
		apply.Page(page.Name, page.Namespace).WithStatus(configuration),
		metav1.ApplyOptions{FieldManager: Name, Force: true})
	if apierrors.IsNotFound(err) {
		return nil // it was deleted in the meantime
	}
	return err
}
