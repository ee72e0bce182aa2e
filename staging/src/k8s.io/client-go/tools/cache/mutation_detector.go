package cache

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
)

// A MutationDetector finds out whether somebody has changed an object that is in a
// cache, which nobody may.
type MutationDetector interface {
	// AddObject has an object watched for some minutes.
	AddObject(obj interface{})

	// Run looks at the objects every second until stopCh is closed. It panics
	// if one has changed.
	Run(stopCh <-chan struct{})
}

// NewCacheMutationDetector returns a detector for the cache of a name. It does
// something only if the environment says KUBE_CACHE_MUTATION_DETECTOR=true: it
// copies every object, and is for tests.
func NewCacheMutationDetector(name string) MutationDetector {
	if enabled, err := strconv.ParseBool(os.Getenv("KUBE_CACHE_MUTATION_DETECTOR")); err != nil || !enabled {
		return noDetector{}
	}
	return &copyingDetector{name: name, period: time.Second, keep: 2 * time.Minute, fail: func(message string) { panic(message) }}
}

type noDetector struct{}

func (noDetector) AddObject(any)       {}
func (noDetector) Run(<-chan struct{}) {}

// A copyingDetector compares objects with copies of them.
type copyingDetector struct {
	name   string
	period time.Duration
	keep   time.Duration
	fail   func(message string)

	mu      sync.Mutex
	watched []watchedObject // the oldest first
}

type watchedObject struct {
	obj, copied runtime.Object
	since       time.Time
}

func (d *copyingDetector) AddObject(obj interface{}) {
	if tombstone, ok := obj.(DeletedFinalStateUnknown); ok {
		obj = tombstone.Obj
	}
	object, ok := obj.(runtime.Object)
	if !ok {
		return
	}
	watched := watchedObject{obj: object, copied: object.DeepCopyObject(), since: time.Now()}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watched = append(d.watched, watched)
}

func (d *copyingDetector) Run(stopCh <-chan struct{}) {
	ticker := time.NewTicker(d.period)
	defer ticker.Stop()
	for {
		d.check()
		select {
		case <-stopCh:
			d.check() // what changed at the end
			return
		case <-ticker.C:
		}
	}
}

func (d *copyingDetector) check() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.watched {
		if !reflect.DeepEqual(w.obj, w.copied) {
			d.fail(fmt.Sprintf("cache %s modified: somebody changed a %T that is in it. It was\n%s\nand is\n%s",
				d.name, w.obj, printed(w.copied), printed(w.obj)))
		}
	}
	old := 0
	for old < len(d.watched) && time.Since(d.watched[old].since) > d.keep {
		old++
	}
	d.watched = append([]watchedObject(nil), d.watched[old:]...)
}

func printed(obj any) string {
	text, err := json.MarshalIndent(obj, "", "  ")
	if err != nil {
		return fmt.Sprintf("%+v", obj)
	}
	return string(text)
}
