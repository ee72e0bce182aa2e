package codec

import (
	"reflect"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/internal/share"
	"k8s.io/client-go/internal/share/offer"
)

func TestAnObjectThatComesAgainIsTheSameOne(t *testing.T) {
	for _, mediaType := range []string{apiruntime.ContentTypeJSON, apiruntime.ContentTypeProtobuf} {
		info, _ := pair(t, mediaType)
		decoder := info.Serializer.(interface {
			Sharing(offer.Decoder) apiruntime.Decoder
		}).Sharing(new(share.Sharer))
		sent := pod()
		sent.SetGroupVersionKind(podDefault)
		data := encode(t, info.Serializer, sent)
		want := sent.DeepCopy()
		want.TypeMeta = metav1.TypeMeta{}

		first, kind, err := decoder.Decode(data, nil, nil)
		if err != nil || *kind != podDefault || !reflect.DeepEqual(first, apiruntime.Object(want)) {
			t.Fatalf("%s: %v of kind %v, %v; want %v", mediaType, first, kind, err, want)
		}
		again, kind, err := decoder.Decode(data, nil, nil)
		if err != nil || *kind != podDefault || again != first {
			t.Errorf("%s: again %p of kind %v, %v; want %p", mediaType, again, kind, err, first)
		}
		// Who brings an object gets that.
		into := &corev1.Pod{}
		if got, _, err := decoder.Decode(data, nil, into); err != nil || got != apiruntime.Object(into) || !reflect.DeepEqual(into, want) {
			t.Errorf("%s: decoded into %p is %p: %v, %v", mediaType, into, got, got, err)
		}
		other := sent.DeepCopy()
		other.Name = "other"
		if got, _, err := decoder.Decode(encode(t, info.Serializer, other), nil, nil); err != nil || got.(*corev1.Pod).Name != "other" {
			t.Errorf("%s: another one is %v, %v", mediaType, got, err)
		}
		if got, _, err := decoder.Decode(data[:len(data)-3], nil, nil); err == nil {
			t.Errorf("%s: of a part became %v", mediaType, got)
		}
		runtime.KeepAlive(first)
	}
}
