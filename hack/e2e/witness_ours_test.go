//go:build !published

package e2e

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/informer"
)

func init() { ourInformers = append(ourInformers, witnessTyped) }

func witnessTyped(t *testing.T, cs kubernetes.Interface, ns string) witnessed {
	t.Helper()
	typed := informer.New(cs.CoreV1().ConfigMaps(ns), informer.Options[*corev1.ConfigMap]{})
	w := newWitness()
	_, err := typed.AddHandler(informer.HandlerFuncs[*corev1.ConfigMap]{
		Add:    func(obj *corev1.ConfigMap, _ bool) { w.take(nil, obj) },
		Update: func(old, obj *corev1.ConfigMap) { w.take(old, obj) },
		Delete: func(last *corev1.ConfigMap) { w.take(last, nil) },
	})
	if err != nil {
		t.Fatal(err)
	}
	list := func() (all []any) {
		for _, obj := range typed.Store().List() {
			all = append(all, obj)
		}
		return all
	}
	return witnessed{w, "typed", list, typed.Run}
}
