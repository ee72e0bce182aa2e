package record

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"
)

func eventAbout(pod, reason, message string, at time.Time) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("%s.%x", pod, at.UnixNano()), Namespace: "ns"},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "ns", Name: pod, UID: "uid-of-" + "pod", APIVersion: "v1"},
		Source:         corev1.EventSource{Component: "tester"},
		Type:           corev1.EventTypeNormal, Reason: reason, Message: message,
		FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at), Count: 1,
	}
}

func TestWhatBecomesOfTheLastOfManyEvents(t *testing.T) {
	same := func(int) string { return "the same" }
	another := func(i int) string { return fmt.Sprintf("message %d", i) }
	for _, test := range []struct {
		name    string
		events  int
		every   time.Duration
		message func(int) string
		options CorrelatorOptions

		count    int32
		message1 string // of the result
		skip     bool
	}{
		{name: "one is written", events: 1, message: same, count: 1, message1: "the same"},
		{name: "the same is counted", events: 3, every: time.Hour, message: same, count: 3, message1: "the same"},
		{name: "the same is counted on however many there are", events: 20, every: time.Minute, message: same, count: 20, message1: "the same"},
		{name: "nine different ones are nine", events: 9, every: time.Second, message: another, count: 1, message1: "message 9"},
		{name: "the tenth stands for all", events: 10, every: time.Second, message: another, count: 1, message1: "(combined from similar events): message 10"},
		{name: "which is counted from then on", events: 13, every: time.Second, message: another, count: 4, message1: "(combined from similar events): message 13"},
		{name: "unless there is silence between them", events: 13, every: 601 * time.Second, message: another, count: 1, message1: "message 13"},
		{name: "25 in one go are let through", events: 25, every: time.Second, message: same, count: 25, message1: "the same"},
		{name: "26 are not", events: 26, every: time.Second, message: same, skip: true},
		{name: "one in five minutes is", events: 60, every: 300 * time.Second, message: same, count: 60, message1: "the same"},
		{name: "numbers can be changed", events: 3, every: time.Second, message: another,
			options: CorrelatorOptions{MaxEvents: 2, MessageFunc: func(e *corev1.Event) string { return "many, last " + e.Message }},
			count:   2, message1: "many, last message 3"},
		{name: "a smaller burst", events: 3, message: same, options: CorrelatorOptions{BurstSize: 2}, skip: true},
		{name: "budgets of their own for each message", events: 3, message: another,
			options: CorrelatorOptions{BurstSize: 1, SpamKeyFunc: func(e *corev1.Event) string { return e.Message }},
			count:   1, message1: "message 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			clock := testclock.NewFakeClock(time.Unix(1_700_000_000, 0))
			test.options.Clock = clock
			correlator := NewEventCorrelatorWithOptions(test.options)
			first := metav1.Time{}
			var result *EventCorrelateResult
			for i := 1; i <= test.events; i++ {
				event := eventAbout("web", "Tested", test.message(i), clock.Now())
				before := event.DeepCopy()
				var err error
				if result, err = correlator.EventCorrelate(event); err != nil {
					t.Fatal(err)
				}
				if event.Name != before.Name || event.Count != before.Count || event.Message != before.Message {
					t.Fatalf("the event that was given has changed: %+v", event)
				}
				if first.IsZero() || result.Event.Count == 1 {
					first = result.Event.FirstTimestamp
				}
				if !result.Skip {
					correlator.UpdateState(result.Event)
				}
				clock.Step(test.every)
			}
			if result.Skip != test.skip {
				t.Fatalf("skip is %v", result.Skip)
			}
			if test.skip {
				return
			}
			if got := result.Event; got.Count != test.count || got.Message != test.message1 || !got.FirstTimestamp.Equal(&first) {
				t.Errorf("%d times %q since %v, want %d times %q since %v", got.Count, got.Message, got.FirstTimestamp, test.count, test.message1, first)
			}
			if (result.Patch != nil) != (test.count > 1) {
				t.Errorf("the patch is %s", result.Patch)
			}
		})
	}
}

func TestPatchMakesTheLastEventThisOne(t *testing.T) {
	correlator := NewEventCorrelator(testclock.NewFakeClock(time.Now()))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := eventAbout("web", "Tested", "hello", at)
	result, err := correlator.EventCorrelate(first)
	if err != nil {
		t.Fatal(err)
	}
	kept := result.Event.DeepCopy()
	kept.ResourceVersion = "7"
	correlator.UpdateState(kept)

	if result, err = correlator.EventCorrelate(eventAbout("web", "Tested", "hello", at.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	if result.Event.Name != first.Name || result.Event.ResourceVersion != "7" {
		t.Errorf("the event counted is %s at %s", result.Event.Name, result.Event.ResourceVersion)
	}
	if err := json.Unmarshal(result.Patch, kept); err != nil {
		t.Fatal(err)
	}
	if kept.Count != 2 || kept.Message != "hello" || !kept.LastTimestamp.Equal(&result.Event.LastTimestamp) || kept.FirstTimestamp.Equal(&kept.LastTimestamp) {
		t.Errorf("the patch makes %+v", kept)
	}
}

func TestKeysOfDifferentEventsDiffer(t *testing.T) {
	base := eventAbout("web", "Tested", "hello", time.Unix(0, 0))
	seen := map[string]string{}
	for name, change := range map[string]func(*corev1.Event){
		"base": func(*corev1.Event) {},
		"where a word ends": func(e *corev1.Event) {
			e.Type, e.Reason = "NormalT", "ested"
		},
		"path":     func(e *corev1.Event) { e.InvolvedObject.FieldPath = "spec.containers{a}" },
		"uid":      func(e *corev1.Event) { e.InvolvedObject.UID = "other" },
		"message":  func(e *corev1.Event) { e.Message = "bye" },
		"type":     func(e *corev1.Event) { e.Type = "Warning" },
		"instance": func(e *corev1.Event) { e.Source.Host = "node" },
	} {
		event := base.DeepCopy()
		change(event)
		key := eventKey(event)
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s have the same key", name, other)
		}
		seen[key] = name
	}
	later := base.DeepCopy()
	later.InvolvedObject.ResourceVersion, later.Name, later.LastTimestamp = "99", "x", metav1.Now()
	if eventKey(later) != eventKey(base) {
		t.Error("the key depends on when it happened")
	}
}

func TestGroupKeyLeavesOutTheMessage(t *testing.T) {
	a, local := EventAggregatorByReasonFunc(eventAbout("web", "Tested", "hello", time.Now()))
	b, _ := EventAggregatorByReasonFunc(eventAbout("web", "Tested", "bye", time.Now()))
	c, _ := EventAggregatorByReasonFunc(eventAbout("web", "Failed", "bye", time.Now()))
	if a != b || a == c || local != "hello" || strings.Contains(a, "hello") {
		t.Errorf("keys %q, %q, %q, local %q", a, b, c, local)
	}
}
