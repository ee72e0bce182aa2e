// Package v1alpha1 has the kind that the controller is for: a Page, which is published
// as a ConfigMap.
//
// +k8s:deepcopy-gen=package
// +groupName=pages.sample.dev
package v1alpha1
