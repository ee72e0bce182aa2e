package v1

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/internal/selecting"
)

// JobListerExpansion has the methods of a JobLister that not every lister has.
type JobListerExpansion interface {
	// GetPodJobs returns those whose selector matches the pod. Which of
	// them manages it is told by its controller reference. No match is an error.
	GetPodJobs(pod *corev1.Pod) (jobs []batchv1.Job, err error)
}

// JobNamespaceListerExpansion is empty.
type JobNamespaceListerExpansion interface{}

func (l *jobLister) GetPodJobs(pod *corev1.Pod) ([]batchv1.Job, error) {
	found, err := selecting.Managers(pod, "Job", l.Jobs(pod.Namespace), func(job *batchv1.Job) *metav1.LabelSelector {
		return job.Spec.Selector
	})
	if err != nil {
		return nil, err
	}
	jobs := make([]batchv1.Job, len(found))
	for i, job := range found {
		jobs[i] = *job
	}
	return jobs, nil
}
