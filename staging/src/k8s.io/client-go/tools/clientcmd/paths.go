package clientcmd

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// GetConfigFileReferences returns pointers to all paths in config.
func GetConfigFileReferences(config *clientcmdapi.Config) []*string {
	refs := make([]*string, 0, len(config.Clusters)+3*len(config.AuthInfos))
	for _, cluster := range config.Clusters {
		refs = append(refs, GetClusterFileReferences(cluster)...)
	}
	for _, user := range config.AuthInfos {
		refs = append(refs, GetAuthInfoFileReferences(user)...)
	}
	return refs
}

// GetClusterFileReferences returns pointers to all paths in cluster.
func GetClusterFileReferences(cluster *clientcmdapi.Cluster) []*string {
	if cluster == nil {
		return nil
	}
	return []*string{&cluster.CertificateAuthority}
}

// GetAuthInfoFileReferences returns pointers to all paths in authInfo. The
// command of a credential plugin is among them if it is relative and has a
// directory; without one it is looked up in PATH.
func GetAuthInfoFileReferences(authInfo *clientcmdapi.AuthInfo) []*string {
	if authInfo == nil {
		return nil
	}
	refs := []*string{&authInfo.ClientCertificate, &authInfo.ClientKey, &authInfo.TokenFile}
	if exec := authInfo.Exec; exec != nil && strings.ContainsRune(exec.Command, filepath.Separator) {
		refs = append(refs, &exec.Command)
	}
	return refs
}

// ResolveLocalPaths makes all paths in config absolute. They are relative to
// the directory of the file that their stanza came from; where that is not
// known, they stay as they are.
func ResolveLocalPaths(config *clientcmdapi.Config) error {
	for name, cluster := range config.Clusters {
		if cluster != nil && cluster.LocationOfOrigin != "" {
			if err := resolveCluster(cluster); err != nil {
				return fmt.Errorf("cluster %q: %w", name, err)
			}
		}
	}
	for name, user := range config.AuthInfos {
		if user != nil && user.LocationOfOrigin != "" {
			if err := resolveAuthInfo(user); err != nil {
				return fmt.Errorf("user %q: %w", name, err)
			}
		}
	}
	return nil
}

func resolveCluster(cluster *clientcmdapi.Cluster) error {
	base, err := originDir(cluster.LocationOfOrigin)
	if err != nil {
		return err
	}
	return ResolvePaths(GetClusterFileReferences(cluster), base)
}

func resolveAuthInfo(user *clientcmdapi.AuthInfo) error {
	base, err := originDir(user.LocationOfOrigin)
	if err != nil {
		return err
	}
	return ResolvePaths(GetAuthInfoFileReferences(user), base)
}

// originDir returns the directory, as an absolute path, of the file that a
// stanza came from.
func originDir(origin string) (string, error) {
	dir, err := filepath.Abs(filepath.Dir(origin))
	if err != nil {
		return "", fmt.Errorf("could not determine the absolute path of config file %s: %w", origin, err)
	}
	return dir, nil
}

// RelativizeClusterLocalPaths makes the paths in cluster relative to the
// directory of the file that it came from, where they are below it. Paths that
// are relative already are taken to be so.
func RelativizeClusterLocalPaths(cluster *clientcmdapi.Cluster) error {
	if cluster.LocationOfOrigin == "" {
		return fmt.Errorf("no location of origin for %s", describeCluster(cluster))
	}
	if err := resolveCluster(cluster); err != nil {
		return err
	}
	base, err := originDir(cluster.LocationOfOrigin)
	if err != nil {
		return err
	}
	return RelativizePathWithNoBacksteps(GetClusterFileReferences(cluster), base)
}

func describeCluster(cluster *clientcmdapi.Cluster) string {
	return "the cluster with server " + withoutPassword(cluster.Server)
}

// RelativizeAuthInfoLocalPaths makes the paths in authInfo relative to the
// directory of the file that it came from, where they are below it. Paths that
// are relative already are taken to be so.
func RelativizeAuthInfoLocalPaths(authInfo *clientcmdapi.AuthInfo) error {
	if authInfo.LocationOfOrigin == "" {
		return errors.New("no location of origin for the user")
	}
	if err := resolveAuthInfo(authInfo); err != nil {
		return err
	}
	base, err := originDir(authInfo.LocationOfOrigin)
	if err != nil {
		return err
	}
	return RelativizePathWithNoBacksteps(GetAuthInfoFileReferences(authInfo), base)
}

// RelativizeConfigPaths makes the paths in config relative to base, where they
// are below it.
func RelativizeConfigPaths(config *clientcmdapi.Config, base string) error {
	return RelativizePathWithNoBacksteps(GetConfigFileReferences(config), base)
}

// ResolveConfigPaths makes the paths in config absolute. They are relative to
// base.
func ResolveConfigPaths(config *clientcmdapi.Config, base string) error {
	return ResolvePaths(GetConfigFileReferences(config), base)
}

// ResolvePaths makes the paths absolute that refs point to. They are relative
// to base. Empty ones stay empty. The error is always nil.
func ResolvePaths(refs []*string, base string) error {
	for _, ref := range refs {
		*ref = clientcmdapi.ResolvePath(*ref, base)
	}
	return nil
}

// RelativizePathWithNoBacksteps makes the paths relative to base that refs
// point to, if they can be without "..". Of the rest, absolute paths stay as
// they are, and relative ones are an error.
func RelativizePathWithNoBacksteps(refs []*string, base string) error {
	for _, ref := range refs {
		if *ref == "" {
			continue
		}
		relative, err := MakeRelative(*ref, base)
		switch {
		case err == nil && filepath.IsLocal(relative):
			*ref = relative
		case filepath.IsAbs(*ref):
		case err != nil:
			return err
		default:
			return fmt.Errorf("path %s leads out of directory %s: make it absolute", *ref, base)
		}
	}
	return nil
}

// MakeRelative returns path relative to base, if base is not empty.
func MakeRelative(path, base string) (string, error) {
	if base == "" {
		return path, nil
	}
	relative, err := filepath.Rel(base, path)
	if err != nil {
		return path, err
	}
	return relative, nil
}
