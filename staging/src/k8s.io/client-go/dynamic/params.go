package dynamic

import (
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// The functions in this file add options to a request as query parameters,
// under the names that they have in JSON, and leave out what is not set, and the
// kind. A parameter codec does the same for any type, by way of reflection.

func getParams(r *rest.Request, o *metav1.GetOptions) *rest.Request {
	text(r, "resourceVersion", o.ResourceVersion)
	return r
}

func listParams(r *rest.Request, o *metav1.ListOptions) *rest.Request {
	text(r, "labelSelector", o.LabelSelector)
	text(r, "fieldSelector", o.FieldSelector)
	yes(r, "watch", o.Watch)
	yes(r, "allowWatchBookmarks", o.AllowWatchBookmarks)
	text(r, "resourceVersion", o.ResourceVersion)
	text(r, "resourceVersionMatch", string(o.ResourceVersionMatch))
	if o.TimeoutSeconds != nil {
		r.Param("timeoutSeconds", strconv.FormatInt(*o.TimeoutSeconds, 10))
	}
	if o.Limit != 0 {
		r.Param("limit", strconv.FormatInt(o.Limit, 10))
	}
	text(r, "continue", o.Continue)
	if o.SendInitialEvents != nil {
		r.Param("sendInitialEvents", strconv.FormatBool(*o.SendInitialEvents))
	}
	text(r, "shardSelector", o.ShardSelector)
	return r
}

func createParams(r *rest.Request, o *metav1.CreateOptions) *rest.Request {
	dryRun(r, o.DryRun)
	text(r, "fieldManager", o.FieldManager)
	text(r, "fieldValidation", o.FieldValidation)
	return r
}

func updateParams(r *rest.Request, o *metav1.UpdateOptions) *rest.Request {
	dryRun(r, o.DryRun)
	text(r, "fieldManager", o.FieldManager)
	text(r, "fieldValidation", o.FieldValidation)
	return r
}

func patchParams(r *rest.Request, o *metav1.PatchOptions) *rest.Request {
	dryRun(r, o.DryRun)
	if o.Force != nil {
		r.Param("force", strconv.FormatBool(*o.Force))
	}
	text(r, "fieldManager", o.FieldManager)
	text(r, "fieldValidation", o.FieldValidation)
	return r
}

func dryRun(r *rest.Request, stages []string) {
	for _, stage := range stages {
		r.Param("dryRun", stage)
	}
}

func text(r *rest.Request, name, value string) {
	if value != "" {
		r.Param(name, value)
	}
}

func yes(r *rest.Request, name string, value bool) {
	if value {
		r.Param(name, "true")
	}
}
