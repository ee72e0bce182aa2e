package util_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/record/util"
)

func TestEventNamesAreValidAndTellObjectsApart(t *testing.T) {
	if got, want := util.GenerateEventName("web-0", 0x1234), "web-0.1234"; got != want {
		t.Errorf("the name of an event about web-0 is %q, want %q", got, want)
	}
	seen := map[string]string{}
	for _, name := range []string{
		"web-0", "Web-0", "2001:db8::1", "2001:db8::2", "a/b", "-a", "", ".",
		strings.Repeat("x", 253), strings.Repeat("x", 254), strings.Repeat("x", 5000),
	} {
		got := util.GenerateEventName(name, 1_700_000_000_000_000_000)
		if problems := validation.IsDNS1123Subdomain(got); len(problems) > 0 {
			t.Errorf("the event about %.20q has the name %q: %v", name, got, problems)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("the events about %.20q and %.20q have the same name", other, name)
		}
		seen[got] = name
	}
}

func TestOnlyTheServersNotFoundIsNotFound(t *testing.T) {
	gone := apierrors.NewNotFound(schema.GroupResource{Resource: "events"}, "a")
	for err, want := range map[error]bool{
		gone:                             true,
		fmt.Errorf("patching: %w", gone): true,
		errors.New("not found"):          false,
		&apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusGone}}: false,
	} {
		if got := util.IsKeyNotFoundError(err); got != want {
			t.Errorf("IsKeyNotFoundError(%v) is %v", err, got)
		}
	}
	if util.IsKeyNotFoundError(nil) {
		t.Error("no error is taken for one")
	}
}

func TestEventTypes(t *testing.T) {
	for eventtype, want := range map[string]bool{"Normal": true, "Warning": true, "normal": false, "Error": false, "": false} {
		if got := util.ValidateEventType(eventtype); got != want {
			t.Errorf("ValidateEventType(%q) is %v", eventtype, got)
		}
	}
}
