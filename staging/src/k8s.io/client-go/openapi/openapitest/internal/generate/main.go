// Command generate writes the embedded schemas of package openapitest into the
// directory that is its argument.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// A resource is something to describe.
type resource struct {
	plural     string
	namespaced bool
	object     any
}

// A document describes the resources of a version.
type document struct {
	file, path     string
	group, version string
	resources      []resource
}

var documents = []document{
	{"api__v1", "/api/v1", "", "v1", []resource{
		{"configmaps", true, corev1.ConfigMap{}},
		{"namespaces", false, corev1.Namespace{}},
		{"pods", true, corev1.Pod{}},
		{"secrets", true, corev1.Secret{}},
		{"services", true, corev1.Service{}},
	}},
	{"apis__apps__v1", "/apis/apps/v1", "apps", "v1", []resource{
		{"daemonsets", true, appsv1.DaemonSet{}},
		{"deployments", true, appsv1.Deployment{}},
		{"statefulsets", true, appsv1.StatefulSet{}},
	}},
	{"apis__batch__v1", "/apis/batch/v1", "batch", "v1", []resource{
		{"cronjobs", true, batchv1.CronJob{}},
		{"jobs", true, batchv1.Job{}},
	}},
	{"apis__discovery.k8s.io__v1", "/apis/discovery.k8s.io/v1", "discovery.k8s.io", "v1", []resource{
		{"endpointslices", true, discoveryv1.EndpointSlice{}},
	}},
	{"apis__networking.k8s.io__v1", "/apis/networking.k8s.io/v1", "networking.k8s.io", "v1", []resource{
		{"ingresses", true, networkingv1.Ingress{}},
		{"networkpolicies", true, networkingv1.NetworkPolicy{}},
	}},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: generate DIRECTORY")
	}
	for _, d := range documents {
		data, err := json.Marshal(d.describe())
		if err != nil {
			log.Fatalf("encoding %s: %v", d.path, err)
		}
		if err := os.WriteFile(filepath.Join(os.Args[1], d.file+"_openapi.json"), append(data, '\n'), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// describe returns the whole document.
func (d document) describe() map[string]any {
	s := schemas{}
	paths := map[string]any{}
	for _, r := range d.resources {
		kind := map[string]any{"group": d.group, "version": d.version, "kind": reflect.TypeOf(r.object).Name()}
		name := s.add(reflect.TypeOf(r.object))
		s[name]["x-kubernetes-group-version-kind"] = []any{kind}
		path := d.path + "/" + r.plural + "/{name}"
		if r.namespaced {
			path = d.path + "/namespaces/{namespace}/" + r.plural + "/{name}"
		}
		paths[path] = s.operations(name, kind)
	}
	return map[string]any{
		"openapi":    "3.0.0",
		"info":       map[string]any{"title": "Kubernetes", "version": "unversioned"},
		"paths":      paths,
		"components": map[string]any{"schemas": s},
	}
}
