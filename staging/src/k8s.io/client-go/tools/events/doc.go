// Package events records events of events.k8s.io/v1: what a controller has done
// about an object, or failed to do, and why.
//
//	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: client.EventsV1()})
//	defer broadcaster.Shutdown()
//	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil { … }
//	recorder := broadcaster.NewRecorder(scheme.Scheme, "example.com/frobber")
//	…
//	recorder.Eventf(pod, nil, corev1.EventTypeNormal, "Requested", "Frobbing", "Frobbed %d times", n)
//
// # Series
//
// An event that comes again makes a series: the same type, action, reason, controller,
// regarding and related object, whatever its note and its time are. For the first one an
// event is created. The second one adds a series with a count of two to it. Later ones
// are counted here; the server is told twice an hour, and once more when the series
// has ended, which it has after six minutes without an event.
//
// All that is to be sent for one series is sent in order, one request at a time. A
// series that fails to be sent holds up no other one. A request is tried up to
// twelve times, ten seconds apart, unless the server has refused it.
//
// Package tools/record does the same with events of core/v1, and has a budget of
// events for each object besides.
package events
