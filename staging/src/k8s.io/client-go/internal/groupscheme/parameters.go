package groupscheme

import (
	"net/url"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// parameterCodec writes the options that go with nearly every request field by
// field. The general codec, which reads struct tags by reflection, does the rest.
type parameterCodec Lazy

func (c *parameterCodec) EncodeParameters(obj runtime.Object, to schema.GroupVersion) (url.Values, error) {
	var p parameters
	switch o := obj.(type) {
	case *metav1.ListOptions:
		p.typeMeta(&o.TypeMeta)
		p.text("labelSelector", o.LabelSelector)
		p.text("fieldSelector", o.FieldSelector)
		p.flag("watch", o.Watch)
		p.flag("allowWatchBookmarks", o.AllowWatchBookmarks)
		p.text("resourceVersion", o.ResourceVersion)
		p.text("resourceVersionMatch", string(o.ResourceVersionMatch))
		p.number("timeoutSeconds", o.TimeoutSeconds)
		if o.Limit != 0 {
			p.number("limit", &o.Limit)
		}
		p.text("continue", o.Continue)
		p.choice("sendInitialEvents", o.SendInitialEvents)
		p.text("shardSelector", o.ShardSelector)
	case *metav1.GetOptions:
		p.typeMeta(&o.TypeMeta)
		p.text("resourceVersion", o.ResourceVersion)
	case *metav1.CreateOptions:
		p.typeMeta(&o.TypeMeta)
		p.texts("dryRun", o.DryRun)
		p.text("fieldManager", o.FieldManager)
		p.text("fieldValidation", o.FieldValidation)
	case *metav1.UpdateOptions:
		p.typeMeta(&o.TypeMeta)
		p.texts("dryRun", o.DryRun)
		p.text("fieldManager", o.FieldManager)
		p.text("fieldValidation", o.FieldValidation)
	case *metav1.PatchOptions:
		p.typeMeta(&o.TypeMeta)
		p.texts("dryRun", o.DryRun)
		p.choice("force", o.Force)
		p.text("fieldManager", o.FieldManager)
		p.text("fieldValidation", o.FieldValidation)
	default:
		return (*Lazy)(c).general().EncodeParameters(obj, to)
	}
	return p.values, nil
}

func (c *parameterCodec) DecodeParameters(values url.Values, from schema.GroupVersion, into runtime.Object) error {
	return (*Lazy)(c).general().DecodeParameters(values, from, into)
}

// parameters collects the fields that are set. Most options have none, so the
// map is made with the first.
type parameters struct {
	values url.Values
}

// Every typed client links this, so it is there once.
//
//go:noinline
func (p *parameters) set(name string, values []string) {
	if p.values == nil {
		p.values = make(url.Values, 4)
	}
	p.values[name] = values
}

func (p *parameters) typeMeta(t *metav1.TypeMeta) {
	p.text("kind", t.Kind)
	p.text("apiVersion", t.APIVersion)
}

func (p *parameters) text(name, value string) {
	if value != "" {
		p.set(name, []string{value})
	}
}

func (p *parameters) texts(name string, values []string) {
	if len(values) > 0 {
		p.set(name, append([]string(nil), values...))
	}
}

func (p *parameters) flag(name string, value bool) {
	if value {
		p.set(name, []string{"true"})
	}
}

func (p *parameters) choice(name string, value *bool) {
	if value != nil {
		p.set(name, []string{strconv.FormatBool(*value)})
	}
}

func (p *parameters) number(name string, value *int64) {
	if value != nil {
		p.set(name, []string{strconv.FormatInt(*value, 10)})
	}
}
