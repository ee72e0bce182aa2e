package fake

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/internal/answer"
	"k8s.io/client-go/testing"
)

func (c *fakeNodes) PatchStatus(ctx context.Context, nodeName string, data []byte) (*corev1.Node, error) {
	action := testing.NewRootPatchSubresourceAction(c.Resource(), nodeName, types.StrategicMergePatchType, data, "status")
	return answer.Of[*corev1.Node](c.Fake, action, &corev1.Node{}, nil)
}
