// Package v1 is version v1 of the group client.authentication.k8s.io, as
// spoken between clients and credential plugins. The types are explained in
// [k8s.io/client-go/pkg/apis/clientauthentication].
//
// +k8s:deepcopy-gen=package
// +k8s:conversion-gen=k8s.io/client-go/pkg/apis/clientauthentication
// +k8s:openapi-gen=true
// +k8s:openapi-model-package=io.k8s.client-go.pkg.apis.clientauthentication.v1
// +k8s:defaulter-gen=TypeMeta
// +groupName=client.authentication.k8s.io
package v1
