package controller

import (
	"html"
	"strings"

	"k8s.io/sample-controller/apis/pages/v1alpha1"
)

// data returns what the ConfigMap of a page has.
func data(page *v1alpha1.Page) map[string]string {
	var b strings.Builder
	title := html.EscapeString(page.Spec.Title)
	b.WriteString("<!DOCTYPE html>\n<title>" + title + "</title>\n<h1>" + title + "</h1>\n")
	for paragraph := range strings.SplitSeq(page.Spec.Text, "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
			b.WriteString("<p>" + html.EscapeString(paragraph) + "</p>\n")
		}
	}
	return map[string]string{"index.html": b.String()}
}
