package rest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	restwatch "k8s.io/client-go/rest/watch"
)

var (
	benchScheme = runtime.NewScheme()
	benchCodecs = func() serializer.CodecFactory {
		if err := corev1.AddToScheme(benchScheme); err != nil {
			panic(err)
		}
		metav1.AddToGroupVersion(benchScheme, schemaV1)
		return serializer.NewCodecFactory(benchScheme)
	}()
	benchParams = runtime.NewParameterCodec(benchScheme)
	schemaV1    = corev1.SchemeGroupVersion
)

// answering sends nothing and answers each request with the same body.
type answering struct {
	contentType string
	body        []byte
}

func (a *answering) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Content-Type": {a.contentType}},
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
		Request:       req,
	}, nil
}

func benchConfig(contentType string, body []byte) *rest.Config {
	return &rest.Config{
		Host:    "https://server.example:6443",
		APIPath: "/api",
		QPS:     -1,
		ContentConfig: rest.ContentConfig{
			ContentType:          contentType,
			GroupVersion:         &schemaV1,
			NegotiatedSerializer: benchCodecs.WithoutConversion(),
		},
		Transport: &answering{contentType: contentType, body: body},
	}
}

func benchClient(b *testing.B, contentType string, body []byte) *rest.RESTClient {
	b.Helper()
	client, err := rest.RESTClientFor(benchConfig(contentType, body))
	if err != nil {
		b.Fatal(err)
	}
	return client
}

func benchPod(i int) corev1.Pod {
	labels := map[string]string{"app": "web", "pod-template-hash": "5d4f8c7b9", "tier": "frontend"}
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("web-%05d", i), Namespace: "default", UID: "d9d1b7a2-8f0e-4a3c-9e43-0f3f8c1f5a11",
			ResourceVersion: fmt.Sprint(100000 + i), Labels: labels, CreationTimestamp: metav1.Unix(1700000000, 0),
			Annotations: map[string]string{"example.com/checksum": "0b5d7a1c2e3f40516273849506a7b8c9"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-5d4f8c7b9", UID: "8f0e4a3c",
			}},
		},
		Spec: corev1.PodSpec{
			NodeName: "node-17",
			Containers: []corev1.Container{{
				Name: "web", Image: "registry.example/web:1.2.3", Command: []string{"/bin/web", "--port=8080"},
				Env: []corev1.EnvVar{{Name: "A", Value: "one"}, {Name: "B", Value: "two"}},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi"),
				}},
			}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "10.1.2.3", HostIP: "10.0.0.17",
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
}

func encoded(b *testing.B, contentType string, object runtime.Object) []byte {
	b.Helper()
	info, ok := runtime.SerializerInfoForMediaType(benchCodecs.SupportedMediaTypes(), contentType)
	if !ok {
		b.Fatal(contentType)
	}
	data, err := runtime.Encode(benchCodecs.EncoderForVersion(info.Serializer, schemaV1), object)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

var benchFormats = map[string]string{"json": runtime.ContentTypeJSON, "protobuf": runtime.ContentTypeProtobuf}

func BenchmarkClientConstruction(b *testing.B) {
	config := benchConfig(runtime.ContentTypeJSON, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rest.RESTClientFor(config); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRequestURL(b *testing.B) {
	client := benchClient(b, runtime.ContentTypeJSON, nil)
	b.ReportAllocs()
	for b.Loop() {
		u := client.Get().Namespace("default").Resource("pods").Name("web-0").SubResource("log").
			Param("container", "web").Param("follow", "true").Timeout(time.Second).URL()
		if u.Path == "" {
			b.Fatal(u)
		}
	}
}

func BenchmarkRequestWithListOptions(b *testing.B) {
	client := benchClient(b, runtime.ContentTypeJSON, nil)
	opts := &metav1.ListOptions{LabelSelector: "app=web", ResourceVersion: "0", Limit: 500}
	b.ReportAllocs()
	for b.Loop() {
		_ = client.Get().Namespace("default").Resource("pods").VersionedParams(opts, benchParams).URL()
	}
}

func BenchmarkGet(b *testing.B) {
	for format, contentType := range benchFormats {
		b.Run(format, func(b *testing.B) {
			pod := benchPod(1)
			client := benchClient(b, contentType, encoded(b, contentType, &pod))
			b.ReportAllocs()
			for b.Loop() {
				var got corev1.Pod
				err := client.Get().Namespace("default").Resource("pods").Name("web-00001").
					VersionedParams(&metav1.GetOptions{}, benchParams).Do(context.Background()).Into(&got)
				if err != nil || got.Name != pod.Name {
					b.Fatal(got.Name, err)
				}
			}
		})
	}
}

func BenchmarkDoRaw(b *testing.B) {
	client := benchClient(b, runtime.ContentTypeJSON, []byte(`{}`))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Get().AbsPath("/healthz").DoRaw(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	pod := benchPod(1)
	client := benchClient(b, runtime.ContentTypeProtobuf, encoded(b, runtime.ContentTypeProtobuf, &pod))
	b.ReportAllocs()
	for b.Loop() {
		var got corev1.Pod
		err := client.Put().Namespace("default").Resource("pods").Name("web-00001").Body(&pod).
			Do(context.Background()).Into(&got)
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList5000Pods(b *testing.B) {
	list := &corev1.PodList{}
	for i := range 5000 {
		list.Items = append(list.Items, benchPod(i))
	}
	for format, contentType := range benchFormats {
		b.Run(format, func(b *testing.B) {
			data := encoded(b, contentType, list)
			client := benchClient(b, contentType, data)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				var got corev1.PodList
				if err := client.Get().Resource("pods").Do(context.Background()).Into(&got); err != nil || len(got.Items) != 5000 {
					b.Fatal(len(got.Items), err)
				}
			}
		})
	}
}

// BenchmarkWatch is per event.
func BenchmarkWatch(b *testing.B) {
	for format, contentType := range benchFormats {
		b.Run(format, func(b *testing.B) {
			info, _ := runtime.SerializerInfoForMediaType(benchCodecs.SupportedMediaTypes(), contentType)
			var frames bytes.Buffer
			w := info.StreamSerializer.Framer.NewFrameWriter(&frames)
			encoder := restwatch.NewEncoder(
				streaming.NewEncoder(w, benchCodecs.EncoderForVersion(info.StreamSerializer.Serializer, schemaV1)),
				benchCodecs.EncoderForVersion(info.Serializer, schemaV1))
			const events = 1000
			for i := range events {
				pod := benchPod(i)
				if err := encoder.Encode(&watch.Event{Type: watch.Modified, Object: &pod}); err != nil {
					b.Fatal(err)
				}
			}
			client := benchClient(b, contentType, frames.Bytes())
			b.SetBytes(int64(frames.Len() / events))
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				watcher, err := client.Get().Resource("pods").Watch(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				for event := range watcher.ResultChan() {
					if event.Type != watch.Modified {
						b.Fatal(event)
					}
					if n++; n == b.N {
						watcher.Stop()
						break
					}
				}
			}
		})
	}
}
