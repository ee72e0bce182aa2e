package verify_test

import (
	"testing"

	"k8s.io/publisher/verify"
)

func TestWhatASyncPublishedIsProven(t *testing.T) {
	w := publish(t)
	r := w.clean()
	t.Log(text(r))
	for _, d := range r.Destinations {
		t.Logf("%+v", *d)
	}
	_ = verify.Kind("")
}
