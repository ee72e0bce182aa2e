// Package util has what the two packages that record events share:
// tools/record and tools/events.
package util

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
)

// ValidateEventType reports whether a type of event is one that there is: Normal
// or Warning.
func ValidateEventType(eventtype string) bool {
	return eventtype == corev1.EventTypeNormal || eventtype == corev1.EventTypeWarning
}

// IsKeyNotFoundError reports whether a server has answered that an event is not
// there, which it does for events that it has let expire.
func IsKeyNotFoundError(err error) bool {
	var status *apierrors.StatusError
	return errors.As(err, &status) && status.ErrStatus.Code == http.StatusNotFound
}

// GenerateEventName returns the name of an event about an object of the name
// refName: the object's name, and a time in nanoseconds since 1970, in hexadecimal
// digits.
//
// Some objects have names that no event may have, such as an address with colons,
// and long ones leave no room for the time. The name of such an event begins with
// a hash of the object's name instead. So equal arguments give equal names, and
// two objects at the same time different ones.
func GenerateEventName(refName string, unixNano int64) string {
	name := fmt.Sprintf("%s.%x", refName, unixNano)
	if len(validation.IsDNS1123Subdomain(name)) == 0 {
		return name
	}
	hash := fnv.New128a()
	hash.Write([]byte(refName))
	return fmt.Sprintf("%x.%x", hash.Sum(nil), unixNano)
}
