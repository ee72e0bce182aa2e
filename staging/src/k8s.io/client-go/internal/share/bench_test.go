package share

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func workload(i int) *corev1.Pod {
	app := fmt.Sprintf("app-%d", i%50)
	container := func(name string, variables int) corev1.Container {
		c := corev1.Container{
			Name: name, Image: "registry.example.com/team/" + app + "/" + name + ":v1.2." + fmt.Sprint(i%50),
			Args:  []string{"--config=/etc/config/config.yaml", "--log-level=info", "--listen=:8080"},
			Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}, {Name: "metrics", ContainerPort: 9090, Protocol: corev1.ProtocolTCP}},
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("128Mi")},
				Limits:   corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("512Mi")},
			},
			VolumeMounts: []corev1.VolumeMount{{Name: fmt.Sprint("token-", i), MountPath: "/etc/config", ReadOnly: true}, {Name: "scratch", MountPath: "/tmp"}},
		}
		for v := range variables {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("%s_VARIABLE_%d", strings.ToUpper(name), v), Value: fmt.Sprintf("value-of-%s-%d-is-some-text", app, v)})
		}
		return c
	}
	now := metav1.NewTime(time.Unix(1_700_000_000+int64(i), 0))
	fields := func(n int) *metav1.FieldsV1 {
		return metav1.NewFieldsV1(`{"f:status":{` + strings.Repeat(`"f:something":{".":{},"f:other":{}},`, n) + `"f:x":{}}}`)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: fmt.Sprintf("%s-%05d", app, i), ResourceVersion: fmt.Sprint(i),
			Labels:        map[string]string{"app.kubernetes.io/name": app, "app.kubernetes.io/part-of": "shop", "pod-template-hash": fmt.Sprintf("%08x", i%50)},
			Annotations:   map[string]string{"example.com/config-checksum": fmt.Sprintf("%064x", i%50), "example.com/policy": strings.Repeat(`{"rule":"allow","from":"mesh"},`, 20)},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet", Operation: "Update", APIVersion: "v1", Time: &now, FieldsType: "FieldsV1", FieldsV1: fields(40)}, {Manager: "controller", Operation: "Update", APIVersion: "v1", Time: &now, FieldsType: "FieldsV1", FieldsV1: fields(60)}},
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{container("main", 30), container("proxy", 15)},
			NodeName:   fmt.Sprint("node-", i%200),
			Volumes: []corev1.Volume{
				{Name: fmt.Sprint("token-", i), VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: app}}}},
				{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
			Tolerations: []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: fmt.Sprint("10.0.0.", i), StartTime: &now},
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, c := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, Started: new(true), ImageID: fmt.Sprintf("%s@sha256:%064x", c.Name, i%50), ContainerID: fmt.Sprintf("containerd://%064x", i),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	return pod
}

// BenchmarkDecode decodes pods of 50 templates, each with a volume of its own, by
// itself and sharing while decoding or afterwards.
func BenchmarkDecode(b *testing.B) {
	var jsons, protobufs [][]byte
	for i := range 5000 {
		raw, _ := json.Marshal(workload(i))
		jsons = append(jsons, raw)
		raw, _ = workload(i).Marshal()
		protobufs = append(protobufs, raw)
	}
	formats := []struct {
		name    string
		raw     [][]byte
		general func([]byte, any) error
		sharing func(*Sharer, []byte, any, func([]byte, any) error) error
	}{
		{"JSON", jsons, generalJSON, (*Sharer).DecodeJSON},
		{"protobuf", protobufs, generalProtobuf, (*Sharer).DecodeProtobuf},
	}
	for _, f := range formats {
		ways := map[string]func(s *Sharer, raw []byte, into *corev1.Pod) error{
			"alone":   func(_ *Sharer, raw []byte, into *corev1.Pod) error { return f.general(raw, into) },
			"sharing": func(s *Sharer, raw []byte, into *corev1.Pod) error { return f.sharing(s, raw, into, f.general) },
			"afterwards": func(s *Sharer, raw []byte, into *corev1.Pod) error {
				err := f.general(raw, into)
				s.Share(into)
				return err
			},
		}
		for _, way := range []string{"alone", "afterwards", "sharing"} {
			b.Run(f.name+"/"+way, func(b *testing.B) {
				var s Sharer
				b.ReportAllocs()
				kept := make([]*corev1.Pod, len(f.raw))
				for i := 0; b.Loop(); i++ {
					pod := &corev1.Pod{}
					if err := ways[way](&s, f.raw[i%len(f.raw)], pod); err != nil {
						b.Fatal(err)
					}
					kept[i%len(kept)] = pod
				}
				b.SetBytes(int64(len(f.raw[0])))
			})
		}
	}
}
