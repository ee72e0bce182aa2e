module k8s.io/publisher/hack/controlplane

go 1.26.0
