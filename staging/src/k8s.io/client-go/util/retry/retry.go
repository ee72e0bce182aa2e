// Package retry runs a function again where its error promises that another
// attempt may succeed.
//
// The usual case is a write to the API server that loses against somebody
// else's. The server then answers with a conflict, and the thing to do is to
// read the object again, make the change again, and write again:
//
//	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
//		pod, err := pods.Get(ctx, name, metav1.GetOptions{})
//		if err != nil {
//			return err
//		}
//		pod.Labels["seen"] = "true"
//		_, err = pods.Update(ctx, pod, metav1.UpdateOptions{})
//		return err
//	})
//
// Reading inside the function matters: what was read before a conflict is out
// of date, and writing it once more only conflicts once more.
//
// Where the whole change can be said at once, a patch or a server-side apply
// needs no such loop.
package retry

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
)

// DefaultRetry suits writers that all want the same object: at most 5 attempts
// and about 10 ms between two of them. It is a variable so that a program may
// tune it at its start; change no other program's, change none while in use.
var DefaultRetry = wait.Backoff{
	Steps:    5,
	Duration: 10 * time.Millisecond,
	Factor:   1,
	Jitter:   0.1,
}

// DefaultBackoff suits a writer of something that controllers keep changing:
// at most 4 attempts, with pauses of about 10, 50 and 250 ms that let them
// settle.
var DefaultBackoff = wait.Backoff{
	Steps:    4,
	Duration: 10 * time.Millisecond,
	Factor:   5,
	Jitter:   0.1,
}

// OnError calls fn until it succeeds, fails with an error that retriable
// refuses, or was called as often as backoff allows: Steps times, less often
// where the pauses reach Cap before. Between two calls it sleeps as backoff
// says; it does not sleep after the last one.
//
// It returns what the last call returned. Only if backoff allows no call at
// all does it return an error of its own, one that [wait.Interrupted]
// recognises.
func OnError(backoff wait.Backoff, retriable func(error) bool, fn func() error) error {
	if backoff.Steps <= 0 {
		return wait.ErrorInterrupted(fmt.Errorf("not attempted: backoff.Steps is %d, it has to be positive", backoff.Steps))
	}
	for {
		err := fn()
		if err == nil || !retriable(err) {
			return err
		}
		pause := backoff.Step()
		if backoff.Steps == 0 {
			return err
		}
		time.Sleep(pause)
	}
}

// RetryOnConflict is OnError for conflicts: fn is called again where its error
// says, possibly from within a wrapping one, that the object was changed
// meanwhile ([errors.IsConflict]). What it returns may still be a conflict,
// after too many of them.
func RetryOnConflict(backoff wait.Backoff, fn func() error) error {
	return OnError(backoff, errors.IsConflict, fn)
}
