module k8s.io/publisher/hack/publishing

go 1.26.0

require (
	golang.org/x/mod v0.42.0
	k8s.io/publisher v0.0.0
	k8s.io/publisher/hack/e2e v0.0.0
)

require (
	github.com/Masterminds/semver/v3 v3.5.0 // indirect
	github.com/agnivade/levenshtein v1.2.2 // indirect
	github.com/go-git/gcfg v1.5.1-0.20230307220236-3a3c6141e376 // indirect
	github.com/go-git/go-git/v5 v5.19.3 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/pjbgf/sha1cd v0.7.0 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/sys v0.49.0 // indirect
	gopkg.in/warnings.v0 v0.1.2 // indirect
	k8s.io/apimachinery v0.36.6 // indirect
)

replace (
	k8s.io/publisher => ../../publisher
	k8s.io/publisher/hack/e2e => ../e2e
)
