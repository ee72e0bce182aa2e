package api

import (
	"k8s.io/apimachinery/pkg/runtime"
)

// NewConfig returns an empty Config whose maps are ready to be written to, but
// for that of its Preferences: so it equals what an empty file is read as.
func NewConfig() *Config {
	config := &Config{}
	config.Clusters, config.AuthInfos, config.Contexts = map[string]*Cluster{}, map[string]*AuthInfo{}, map[string]*Context{}
	config.Extensions = map[string]runtime.Object{}
	return config
}

// NewContext returns an empty Context whose maps are ready to be written to.
func NewContext() *Context {
	return &Context{Extensions: map[string]runtime.Object{}}
}

// NewCluster returns an empty Cluster whose maps are ready to be written to.
func NewCluster() *Cluster {
	return &Cluster{Extensions: map[string]runtime.Object{}}
}

// NewAuthInfo returns an empty AuthInfo whose maps are ready to be written to.
func NewAuthInfo() *AuthInfo {
	user := &AuthInfo{Extensions: map[string]runtime.Object{}}
	user.ImpersonateUserExtra = map[string][]string{}
	return user
}

// NewPreferences returns empty Preferences whose maps are ready to be written
// to. Kubernetes' own programs do not read preferences any more.
func NewPreferences() *Preferences {
	return &Preferences{Extensions: map[string]runtime.Object{}}
}

// IsConfigEmpty tells whether config holds nothing, its kind and version
// apart.
func IsConfigEmpty(config *Config) bool {
	entries := len(config.Clusters) + len(config.AuthInfos) + len(config.Contexts) + len(config.Extensions)
	return entries == 0 && config.CurrentContext == "" &&
		!config.Preferences.Colors && len(config.Preferences.Extensions) == 0
}
