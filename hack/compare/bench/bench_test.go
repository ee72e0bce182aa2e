package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

const pods = 5000

// answers is a transport that gives each request a body, without a network: what
// is measured is the library.
type answers struct {
	contentType string
	body        func() io.ReadCloser
	length      int64
}

func (a answers) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode:    http.StatusOK,
		Status:        "200 OK",
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {a.contentType}},
		Body:          a.body(),
		ContentLength: a.length,
		Request:       request,
	}, nil
}

func fixed(contentType string, body []byte) answers {
	return answers{contentType, func() io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }, int64(len(body))}
}

func config(transport http.RoundTripper, contentType string) *rest.Config {
	return &rest.Config{
		Host:          "http://server",
		Transport:     transport,
		QPS:           -1,
		ContentConfig: rest.ContentConfig{ContentType: contentType},
	}
}

func pod(i int) corev1.Pod {
	return corev1.Pod{
		TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("web-%05d", i), Namespace: fmt.Sprintf("team-%d", i%50),
			UID: types.UID(fmt.Sprintf("7c5f6f0e-0000-4000-8000-%012d", i)), ResourceVersion: fmt.Sprint(100000 + i),
			Labels:      map[string]string{"app": "web", "pod-template-hash": "5d4f8c9b7", "tier": "front"},
			Annotations: map[string]string{"example.com/checksum": "0123456789abcdef0123456789abcdef"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-5d4f8c9b7", UID: "d2b1c1aa-0000-4000-8000-000000000001",
			}},
			ManagedFields: []metav1.ManagedFieldsEntry{{
				Manager: "kubelet", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", FieldsType: "FieldsV1",
				FieldsV1: metav1.NewFieldsV1(`{"f:status":{"f:conditions":{".":{},"k:{\"type\":\"Ready\"}":{".":{},"f:status":{},"f:type":{}}},"f:phase":{},"f:podIP":{}}}`),
			}},
		},
		Spec: corev1.PodSpec{
			NodeName: fmt.Sprintf("node-%d", i%200), ServiceAccountName: "web",
			Containers: []corev1.Container{{
				Name: "web", Image: "registry.example.com/web:v1.2.3",
				Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}},
				Env:   []corev1.EnvVar{{Name: "MODE", Value: "production"}, {Name: "LEVEL", Value: "info"}},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: resource.MustParse("256Mi"),
				}},
				VolumeMounts: []corev1.VolumeMount{{Name: "token", MountPath: "/var/run/secrets", ReadOnly: true}},
			}},
			Volumes: []corev1.Volume{{Name: "token", VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: "web-token"},
			}}},
			Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "10.0.0.1", HostIP: "192.168.0.1",
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
			},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "web", Ready: true, Image: "registry.example.com/web:v1.2.3", ContainerID: "containerd://0123"}},
		},
	}
}

func serializer(b *testing.B, contentType string) runtime.SerializerInfo {
	info, found := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), contentType)
	if !found {
		b.Fatalf("there is no serializer of %s", contentType)
	}
	return info
}

func encode(b *testing.B, contentType string, object runtime.Object) []byte {
	var out bytes.Buffer
	if err := serializer(b, contentType).Serializer.Encode(object, &out); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

func podList(b *testing.B, contentType string) []byte {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	for i := range pods {
		p := pod(i)
		p.TypeMeta = metav1.TypeMeta{}
		list.Items = append(list.Items, p)
	}
	return encode(b, contentType, list)
}

var contentTypes = map[string]string{"JSON": runtime.ContentTypeJSON, "protobuf": runtime.ContentTypeProtobuf}

func BenchmarkListOf5000Pods(b *testing.B) {
	for name, contentType := range contentTypes {
		b.Run(name, func(b *testing.B) {
			body := podList(b, contentType)
			client, err := kubernetes.NewForConfig(config(fixed(contentType, body), contentType))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				list, err := client.CoreV1().Pods("").List(context.Background(), metav1.ListOptions{})
				if err != nil || len(list.Items) != pods {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDynamicListOf5000Pods(b *testing.B) {
	client, err := dynamic.NewForConfig(config(fixed(runtime.ContentTypeJSON, podList(b, runtime.ContentTypeJSON)), ""))
	if err != nil {
		b.Fatal(err)
	}
	resource := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	b.ReportAllocs()
	for b.Loop() {
		list, err := client.Resource(resource).List(context.Background(), metav1.ListOptions{})
		if err != nil || len(list.Items) != pods {
			b.Fatal(err)
		}
	}
}

// repeat gives a chunk again and again, until it is closed.
type repeat struct {
	chunk []byte
	rest  []byte
	done  chan struct{}
}

func (r *repeat) Read(p []byte) (int, error) {
	select {
	case <-r.done:
		return 0, io.EOF
	default:
	}
	if len(r.rest) == 0 {
		r.rest = r.chunk
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *repeat) Close() error {
	select {
	case <-r.done:
	default:
		close(r.done)
	}
	return nil
}

// events returns a chunk of watch events as the server frames them.
func events(b *testing.B, contentType string) []byte {
	var chunk bytes.Buffer
	info := serializer(b, contentType)
	framed := info.StreamSerializer.Framer.NewFrameWriter(&chunk)
	for i := range 20 {
		p := pod(i)
		event := &metav1.WatchEvent{Type: "MODIFIED", Object: runtime.RawExtension{Raw: bytes.TrimSpace(encode(b, contentType, &p))}}
		var frame bytes.Buffer
		if err := info.StreamSerializer.Serializer.Encode(event, &frame); err != nil {
			b.Fatal(err)
		}
		if _, err := framed.Write(frame.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
	return chunk.Bytes()
}

func BenchmarkWatchEvent(b *testing.B) {
	for name, contentType := range contentTypes {
		b.Run(name, func(b *testing.B) {
			chunk := events(b, contentType)
			streamType := contentType
			if name == "protobuf" {
				streamType += ";stream=watch"
			}
			transport := answers{streamType, func() io.ReadCloser { return &repeat{chunk: chunk, done: make(chan struct{})} }, -1}
			client, err := kubernetes.NewForConfig(config(transport, contentType))
			if err != nil {
				b.Fatal(err)
			}
			watch, err := client.CoreV1().Pods("").Watch(context.Background(), metav1.ListOptions{})
			if err != nil {
				b.Fatal(err)
			}
			defer watch.Stop()
			b.ReportAllocs()
			for b.Loop() {
				event, open := <-watch.ResultChan()
				if _, isPod := event.Object.(*corev1.Pod); !open || !isPod {
					b.Fatalf("got %v", event)
				}
			}
		})
	}
}

func BenchmarkRequestBuilding(b *testing.B) {
	client, err := typedcorev1.NewForConfig(config(fixed(runtime.ContentTypeJSON, nil), ""))
	if err != nil {
		b.Fatal(err)
	}
	options := &metav1.ListOptions{LabelSelector: "app=web", ResourceVersion: "100", Limit: 500}
	b.ReportAllocs()
	for b.Loop() {
		url := client.RESTClient().Get().
			Namespace("team-1").Resource("pods").Name("web-00001").SubResource("status").
			VersionedParams(options, scheme.ParameterCodec).
			URL()
		if !strings.HasPrefix(url.Path, "/api/v1/namespaces/team-1/pods") {
			b.Fatal(url)
		}
	}
}

func BenchmarkGetPod(b *testing.B) {
	p := pod(1)
	client, err := kubernetes.NewForConfig(config(fixed(runtime.ContentTypeJSON, encode(b, runtime.ContentTypeJSON, &p)), ""))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.CoreV1().Pods("team-1").Get(context.Background(), "web-00001", metav1.GetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClientsetConstruction(b *testing.B) {
	c := &rest.Config{Host: "https://server:6443", BearerToken: "token", TLSClientConfig: rest.TLSClientConfig{ServerName: "server"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := kubernetes.NewForConfig(c); err != nil {
			b.Fatal(err)
		}
	}
}
