package informers

import (
	"maps"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers/internalinterfaces"
	"k8s.io/client-go/tools/cache"
)

// A SharedInformerOption says what is to be different about a factory.
type SharedInformerOption func(*sharedInformerFactory) *sharedInformerFactory

func option(set func(*sharedInformerFactory)) SharedInformerOption {
	return func(f *sharedInformerFactory) *sharedInformerFactory {
		set(f)
		return f
	}
}

// WithCustomResyncConfig sets how often the handlers of some kinds are resynced. The
// keys are objects of these kinds.
func WithCustomResyncConfig(resyncConfig map[metav1.Object]time.Duration) SharedInformerOption {
	periods := map[reflect.Type]time.Duration{}
	for example, period := range resyncConfig {
		periods[reflect.TypeOf(example)] = period
	}
	return option(func(f *sharedInformerFactory) {
		if f.resyncOf == nil {
			f.resyncOf = map[reflect.Type]time.Duration{}
		}
		maps.Copy(f.resyncOf, periods)
	})
}

// WithTweakListOptions has a function change the options of every list and watch.
// Informers and listers know only of what comes through.
func WithTweakListOptions(tweakListOptions internalinterfaces.TweakListOptionsFunc) SharedInformerOption {
	return option(func(f *sharedInformerFactory) { f.tweak = tweakListOptions })
}

// WithNamespace has informers know of one namespace only, where their kind has any.
func WithNamespace(namespace string) SharedInformerOption {
	return option(func(f *sharedInformerFactory) { f.namespace = namespace })
}

// WithTransform has a function change every object before anyone sees it, to drop
// what is never looked at, for example.
func WithTransform(transform cache.TransformFunc) SharedInformerOption {
	return option(func(f *sharedInformerFactory) { f.transform = transform })
}

// WithInformerName gives informers a name in metrics. [cache.NewInformerName] makes it;
// Shutdown of the factory sets it free.
func WithInformerName(informerName *cache.InformerName) SharedInformerOption {
	return option(func(f *sharedInformerFactory) { f.name = informerName })
}
