package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
)

var (
	errConflict = apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, "web", errors.New("changed meanwhile"))
	errWrapped  = fmt.Errorf("updating: %w", errConflict)
	errOther    = errors.New("no such luck")
)

// calls returns a function that returns results in turn, and the number of
// calls made to it.
func calls(results ...error) (fn func() error, made *int) {
	made = new(int)
	return func() error {
		err := results[*made]
		*made++
		return err
	}, made
}

func TestConflictsAreTriedAgainAndOtherErrorsAreNot(t *testing.T) {
	backoff := wait.Backoff{Steps: 3}
	for name, c := range map[string]struct {
		results []error
		made    int
		want    error
	}{
		"success at once":               {[]error{nil}, 1, nil},
		"success after a conflict":      {[]error{errConflict, nil}, 2, nil},
		"a wrapped conflict":            {[]error{errWrapped, nil}, 2, nil},
		"success at the last attempt":   {[]error{errConflict, errConflict, nil}, 3, nil},
		"too many conflicts":            {[]error{errConflict, errConflict, errWrapped}, 3, errWrapped},
		"another error":                 {[]error{errOther}, 1, errOther},
		"another error after conflicts": {[]error{errConflict, errOther}, 2, errOther},
		"a cancelled context":           {[]error{context.Canceled}, 1, context.Canceled},
		"a context cancelled later":     {[]error{errConflict, context.Canceled}, 2, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			fn, made := calls(c.results...)
			if err := retry.RetryOnConflict(backoff, fn); err != c.want {
				t.Errorf("got error %v, want %v", err, c.want)
			}
			if *made != c.made {
				t.Errorf("%d calls, want %d", *made, c.made)
			}
		})
	}
}

func TestPausesFollowTheBackoffAndNoneComesLast(t *testing.T) {
	for name, c := range map[string]struct {
		backoff wait.Backoff
		made    int
		took    time.Duration
	}{
		"one attempt":      {wait.Backoff{Steps: 1, Duration: time.Second}, 1, 0},
		"even pauses":      {wait.Backoff{Steps: 4, Duration: time.Second, Factor: 1}, 4, 3 * time.Second},
		"growing pauses":   {wait.Backoff{Steps: 4, Duration: time.Second, Factor: 5}, 4, 31 * time.Second},
		"stop at the cap":  {wait.Backoff{Steps: 9, Duration: time.Second, Factor: 2, Cap: 3 * time.Second}, 2, time.Second},
		"no factor at all": {wait.Backoff{Steps: 3, Duration: time.Second}, 3, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, made := time.Now(), 0
				err := retry.OnError(c.backoff, func(error) bool { return true }, func() error {
					made++
					return errOther
				})
				if err != errOther {
					t.Errorf("got error %v, want %v", err, errOther)
				}
				if took := time.Since(start); made != c.made || took != c.took {
					t.Errorf("%d calls in %s, want %d in %s", made, took, c.made, c.took)
				}
			})
		})
	}
}

func TestDefaultsKeepTheirPromises(t *testing.T) {
	for name, c := range map[string]struct {
		backoff  wait.Backoff
		made     int
		min, max time.Duration
	}{
		"DefaultRetry":   {retry.DefaultRetry, 5, 40 * time.Millisecond, 44 * time.Millisecond},
		"DefaultBackoff": {retry.DefaultBackoff, 4, 310 * time.Millisecond, 341 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, made := time.Now(), 0
				_ = retry.RetryOnConflict(c.backoff, func() error { made++; return errConflict })
				if took := time.Since(start); made != c.made || took < c.min || took > c.max {
					t.Errorf("%d calls in %s, want %d in %s to %s", made, took, c.made, c.min, c.max)
				}
			})
		})
	}
}

func TestBackoffWithoutStepsIsAnErrorRatherThanASuccess(t *testing.T) {
	err := retry.OnError(wait.Backoff{}, func(error) bool { return true }, func() error {
		t.Error("called")
		return nil
	})
	if !wait.Interrupted(err) {
		t.Errorf("got error %v, want one that says so", err)
	}
}

func TestCallersBackoffIsNotUsedUp(t *testing.T) {
	backoff := wait.Backoff{Steps: 2}
	for range 3 {
		fn, _ := calls(errConflict, nil)
		if err := retry.RetryOnConflict(backoff, fn); err != nil {
			t.Fatal(err)
		}
	}
}

func ExampleRetryOnConflict() {
	// A counter on a server, and its version: who writes has to know it.
	value, version := 41, 7
	interference := 1

	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		read, readVersion := value, version // read within the function, so again at every attempt

		if interference > 0 { // somebody else comes between
			interference--
			version++
		}

		if readVersion != version {
			return apierrors.NewConflict(schema.GroupResource{Resource: "counters"}, "visits", errors.New("changed meanwhile"))
		}
		value, version = read+1, version+1
		return nil
	})
	fmt.Println(value, err)
	// Output: 42 <nil>
}
