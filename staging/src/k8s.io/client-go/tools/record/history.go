package record

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/lru"
)

// history remembers the last event of each kind, by which the next one is counted.
type history struct {
	mu   sync.Mutex
	last *lru.Cache // of observation, by event key
}

type observation struct {
	name            string
	resourceVersion string
	first           metav1.Time
	count           int32
}

func newHistory(size int) *history {
	return &history{last: lru.New(size)}
}

// count returns a copy of an event that is a new one, or else the last one of its
// key, counted up, with the patch that makes it of the last one.
func (h *history) count(event *corev1.Event, key string) (*corev1.Event, []byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	counted := *event
	var patch []byte
	var err error
	if last, ok := h.get(key); ok {
		counted.Name = last.name
		counted.ResourceVersion = last.resourceVersion
		counted.FirstTimestamp = last.first
		counted.Count = last.count + 1
		patch, err = countPatch(&counted)
	}
	h.put(key, &counted)
	return &counted, patch, err
}

// countPatch returns what changes in an event that has happened again. Events of
// one key may differ in their message if they are joined.
func countPatch(event *corev1.Event) ([]byte, error) {
	patch, err := json.Marshal(struct {
		Count         int32       `json:"count"`
		LastTimestamp metav1.Time `json:"lastTimestamp"`
		Message       string      `json:"message,omitempty"`
	}{event.Count, event.LastTimestamp, event.Message})
	if err != nil {
		return nil, fmt.Errorf("making the patch that counts the event %s/%s: %w", event.Namespace, event.Name, err)
	}
	return patch, nil
}

// written takes over what a server has made of an event.
func (h *history) written(event *corev1.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.put(eventKey(event), event)
}

func (h *history) get(key string) (observation, bool) {
	value, ok := h.last.Get(key)
	if !ok {
		return observation{}, false
	}
	return value.(observation), true
}

func (h *history) put(key string, event *corev1.Event) {
	h.last.Add(key, observation{
		name:            event.Name,
		resourceVersion: event.ResourceVersion,
		first:           event.FirstTimestamp,
		count:           event.Count,
	})
}

// eventKey is the same for events that are the same but for their time.
func eventKey(event *corev1.Event) string {
	about := &event.InvolvedObject
	return joined(event.Source.Component, event.Source.Host,
		about.Kind, about.Namespace, about.Name, about.FieldPath, string(about.UID), about.APIVersion,
		event.Type, event.Reason, event.Message)
}

// joined makes a key of strings, in which no two lists of strings come out the same.
func joined(parts ...string) string { return strings.Join(parts, "\x00") }
