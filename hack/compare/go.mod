module k8s.io/publisher/hack/compare

go 1.26.0

require (
	k8s.io/api v0.36.6
	k8s.io/apimachinery v0.36.6
	k8s.io/client-go v0.36.6
)

// The comparison with the public module builds the same sources by public.mod,
// which is this file without the replacement.
replace k8s.io/client-go => ../../staging/src/k8s.io/client-go
