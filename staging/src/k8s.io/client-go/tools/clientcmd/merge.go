package clientcmd

import (
	"maps"

	"k8s.io/apimachinery/pkg/runtime"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The functions here put one value on top of another: fields of the upper one
// that are not empty hide those of the lower one. Neither is changed through
// the result's maps; what pointers point to is shared.

// over sets *lower to upper unless that is empty.
func over[T comparable](lower *T, upper T) {
	var empty T
	if upper != empty {
		*lower = upper
	}
}

// listOver sets *lower to upper unless that is empty. Lists are not added up.
func listOver[T any](lower *[]T, upper []T) {
	if len(upper) != 0 {
		*lower = upper
	}
}

// mapOver sets *lower to a map with the entries of both.
func mapOver[V any](lower *map[string]V, upper map[string]V) {
	if len(upper) == 0 {
		return
	}
	both := make(map[string]V, len(*lower)+len(upper))
	maps.Copy(both, *lower)
	maps.Copy(both, upper)
	*lower = both
}

func overlayCluster(lower *clientcmdapi.Cluster, upper clientcmdapi.Cluster) {
	over(&lower.LocationOfOrigin, upper.LocationOfOrigin)
	over(&lower.Server, upper.Server)
	over(&lower.TLSServerName, upper.TLSServerName)
	over(&lower.InsecureSkipTLSVerify, upper.InsecureSkipTLSVerify)
	over(&lower.CertificateAuthority, upper.CertificateAuthority)
	listOver(&lower.CertificateAuthorityData, upper.CertificateAuthorityData)
	over(&lower.ProxyURL, upper.ProxyURL)
	over(&lower.DisableCompression, upper.DisableCompression)
	mapOver(&lower.Extensions, upper.Extensions)
}

func overlayContext(lower *clientcmdapi.Context, upper clientcmdapi.Context) {
	over(&lower.LocationOfOrigin, upper.LocationOfOrigin)
	over(&lower.Cluster, upper.Cluster)
	over(&lower.AuthInfo, upper.AuthInfo)
	over(&lower.Namespace, upper.Namespace)
	mapOver(&lower.Extensions, upper.Extensions)
}

func overlayAuthInfo(lower *clientcmdapi.AuthInfo, upper clientcmdapi.AuthInfo) {
	over(&lower.LocationOfOrigin, upper.LocationOfOrigin)
	over(&lower.ClientCertificate, upper.ClientCertificate)
	listOver(&lower.ClientCertificateData, upper.ClientCertificateData)
	over(&lower.ClientKey, upper.ClientKey)
	listOver(&lower.ClientKeyData, upper.ClientKeyData)
	over(&lower.Token, upper.Token)
	over(&lower.TokenFile, upper.TokenFile)
	over(&lower.Impersonate, upper.Impersonate)
	over(&lower.ImpersonateUID, upper.ImpersonateUID)
	listOver(&lower.ImpersonateGroups, upper.ImpersonateGroups)
	mapOver(&lower.ImpersonateUserExtra, upper.ImpersonateUserExtra)
	over(&lower.Username, upper.Username)
	over(&lower.Password, upper.Password)
	over(&lower.AuthProvider, upper.AuthProvider)
	over(&lower.Exec, upper.Exec)
	mapOver(&lower.Extensions, upper.Extensions)
}

// addMissing adds to config what it does not have yet: clusters, users,
// contexts and extensions by their names, and settings that are empty.
func addMissing(config, more *clientcmdapi.Config) {
	addEntries(&config.Clusters, more.Clusters)
	addEntries(&config.AuthInfos, more.AuthInfos)
	addEntries(&config.Contexts, more.Contexts)
	addEntries(&config.Extensions, more.Extensions)
	if config.CurrentContext == "" {
		config.CurrentContext = more.CurrentContext
	}
	config.Preferences.Colors = config.Preferences.Colors || more.Preferences.Colors
	addEntries[runtime.Object](&config.Preferences.Extensions, more.Preferences.Extensions)
}

func addEntries[V any](entries *map[string]V, more map[string]V) {
	if *entries == nil {
		*entries = make(map[string]V, len(more))
	}
	for name, value := range more {
		if _, known := (*entries)[name]; !known {
			(*entries)[name] = value
		}
	}
}
