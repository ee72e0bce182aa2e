// Package record records events of core/v1: what happened to an object, for people
// who look at it with kubectl describe.
//
//	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
//	broadcaster.StartStructuredLogging(4)
//	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
//	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "frobber"})
//	…
//	recorder.Eventf(pod, corev1.EventTypeNormal, "Frobbed", "Frobbed %d times", n)
//
// # The way of an event
//
// A recorder makes an event of what it is told and leaves it in the queue of its
// broadcaster. It never waits: where 1,000 events wait already, further ones are
// dropped and logged.
//
// The broadcaster passes each event to every watcher, in order. A watcher that is a
// sink has a goroutine and an [EventCorrelator] of its own, which keeps a flood from
// the server:
//
//   - An event that was there before, the same but for its time, is not
//     created again; its count goes up, by a patch.
//   - From the tenth event on that differs from others within ten minutes in its
//     message only, one event stands for all of them.
//   - A source may emit 25 events about an object in one go, and then one in five
//     minutes. What is more is dropped.
//
// [CorrelatorOptions] change these numbers.
//
// A sink that fails is tried again, up to twelve times, ten seconds apart, unless
// trying again is of no use because the server has refused the event. Meanwhile later
// events wait. Events are no place for what must not be lost.
//
// Package tools/events does the same with events of events.k8s.io/v1.
package record
