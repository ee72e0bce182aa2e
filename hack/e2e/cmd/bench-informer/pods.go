package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// newPod returns a pod as a workload of a service mesh has them: of two containers
// with many variables, with probes, volumes and annotations.
func newPod(i int) *corev1.Pod {
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
			VolumeMounts:  []corev1.VolumeMount{{Name: "config", MountPath: "/etc/config", ReadOnly: true}, {Name: "scratch", MountPath: "/tmp"}},
			LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/bin/healthy"}}}, PeriodSeconds: 10},
		}
		for v := range variables {
			c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("%s_VARIABLE_%d", strings.ToUpper(name), v), Value: fmt.Sprintf("value-of-%s-%d-is-some-text", app, v)})
		}
		return c
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: fmt.Sprintf("%s-%08x-%05d", app, i*2654435761, i),
			Labels: map[string]string{"app.kubernetes.io/name": app, "app.kubernetes.io/part-of": "shop", "pod-template-hash": fmt.Sprintf("%08x", i%50)},
			Annotations: map[string]string{
				"example.com/config-checksum": fmt.Sprintf("%064x", i%50),
				"example.com/policy":          strings.Repeat(`{"rule":"allow","from":"mesh"},`, 20),
			},
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{container("main", 30), container("proxy", 15)},
			Volumes: []corev1.Volume{
				{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: app}}}},
				{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
			Tolerations: []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists}},
		},
	}
}

// newStatus returns what a kubelet says of it. turn makes each different.
func newStatus(pod *corev1.Pod, i, turn int) *corev1.Pod {
	now := metav1.NewTime(time.Unix(1_700_000_000+int64(i+turn), 0))
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: fmt.Sprintf("10.0.%d.%d", i%200/250, i%200), PodIP: fmt.Sprintf("10.%d.%d.%d", 1+i/65536, i/256%256, i%256),
		StartTime: &now, QOSClass: corev1.PodQOSBurstable,
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, c := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, RestartCount: int32(turn), Started: new(true),
			ImageID:     fmt.Sprintf("registry.example.com/%s@sha256:%064x", c.Name, i%50),
			ContainerID: fmt.Sprintf("containerd://%060x%s", i, c.Name[:4]),
			State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	pod.Status = status
	return pod
}

// workers is how many requests are under way at a time.
const workers = 16

// forAll calls f for all numbers below n.
func forAll(n int, f func(i int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		all.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				errs[w] = f(i)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func clientOf(config *rest.Config, agent string) (kubernetes.Interface, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	config.UserAgent = agent
	config.WarningHandler = rest.NoWarnings{}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	return kubernetes.NewForConfig(config)
}

// fill creates pods, as a controller and a kubelet do.
func fill(ctx context.Context, controller, kubelet kubernetes.Interface, n int) error {
	return forAll(n, func(i int) error {
		created, err := controller.CoreV1().Pods("default").Create(ctx, newPod(i), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		_, err = kubelet.CoreV1().Pods("default").UpdateStatus(ctx, newStatus(created, i, 0), metav1.UpdateOptions{})
		return err
	})
}

// update changes the status of n pods out of all.
func update(ctx context.Context, kubelet kubernetes.Interface, all, n, turn int) error {
	return forAll(n, func(i int) error {
		patch := fmt.Sprintf(`{"status":{"message":"turn %d"}}`, turn*1_000_000+i)
		_, err := kubelet.CoreV1().Pods("default").Patch(ctx, newPod(i%all).Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		return err
	})
}
