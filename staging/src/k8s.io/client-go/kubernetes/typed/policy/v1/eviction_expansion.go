package v1

import (
	"context"

	policyv1 "k8s.io/api/policy/v1"
)

// EvictionExpansion has the one thing that can be done with an eviction.
type EvictionExpansion interface {
	// Evict asks the server to delete the pod that the eviction is named after,
	// as far as disruption budgets allow it now. If they do not, the error is one
	// of too many requests, and the caller tries again later.
	Evict(ctx context.Context, eviction *policyv1.Eviction) error
}

func (c *evictions) Evict(ctx context.Context, eviction *policyv1.Eviction) error {
	return c.GetClient().Post().
		// Evictions are of a policy group, but the sub-resource is the core group's.
		AbsPath("/api/v1").
		Namespace(eviction.Namespace).
		Resource("pods").Name(eviction.Name).SubResource("eviction").
		Body(eviction).
		Do(ctx).Error()
}
