// Package flowcontrol holds clients back: a [RateLimiter] before they send, a [Backoff]
// after something failed.
//
// A rate limiter is a bucket that holds up to burst tokens, and gets qps new ones each
// second. Each request takes one; if the bucket is empty it waits, or is refused:
//
//	limiter := flowcontrol.NewTokenBucketRateLimiter(50, 100)
//	if err := limiter.Wait(ctx); err != nil {
//		return err // ctx ends before there would be a token
//	}
//
// A backoff keeps, for each key, how long to leave it alone. Every failure doubles the time
// up to a maximum; a key that did not fail for twice the maximum starts afresh:
//
//	backoff := flowcontrol.NewBackOff(time.Second, time.Minute)
//	if !backoff.IsInBackOffSinceUpdate(key, now) {
//		if err := try(key); err != nil {
//			backoff.Next(key, now)
//		} else {
//			backoff.DeleteEntry(key)
//		}
//	}
//
// All of it may be used by several goroutines at the same time.
package flowcontrol
