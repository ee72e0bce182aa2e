package api

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
)

// MinifyConfig keeps the current context, its cluster and its user, and drops
// the other ones. It fails, and changes nothing, if there is no current context
// or one of the three does not exist.
func MinifyConfig(config *Config) error {
	name := config.CurrentContext
	if name == "" {
		return errors.New("current-context must exist in order to minify")
	}
	contexts, err := only(config.Contexts, "context", name)
	if err != nil {
		return err
	}
	current := contexts[name]
	clusters, err := only(config.Clusters, "cluster", current.Cluster)
	if err != nil {
		return err
	}
	users, err := only(config.AuthInfos, "user", current.AuthInfo)
	if err != nil {
		return err
	}
	config.Contexts, config.Clusters, config.AuthInfos = contexts, clusters, users
	return nil
}

// only returns a map with the entry of that name alone, or with none if the
// name is empty.
func only[V any](all map[string]*V, kind, name string) (map[string]*V, error) {
	if name == "" {
		return map[string]*V{}, nil
	}
	value := all[name]
	if value == nil {
		return nil, fmt.Errorf("cannot locate %s %v", kind, name)
	}
	return map[string]*V{name: value}, nil
}

// FlattenConfig replaces the paths of certificates and keys by what the files
// hold, so that config means the same elsewhere. Relative paths are relative to
// the directory of the stanza's LocationOfOrigin.
//
// Files with tokens stay files, because tokens in files are replaced from time
// to time; but their paths become absolute.
//
// A file that cannot be read is an error, as are a path and contents for one
// purpose. What was read before the error stays in config.
func FlattenConfig(config *Config) error {
	for _, name := range slices.Sorted(maps.Keys(config.AuthInfos)) {
		if user := config.AuthInfos[name]; user != nil {
			if err := user.flatten(); err != nil {
				return fmt.Errorf("user %q: %w", name, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(config.Clusters)) {
		if cluster := config.Clusters[name]; cluster != nil {
			if err := cluster.flatten(); err != nil {
				return fmt.Errorf("cluster %q: %w", name, err)
			}
		}
	}
	return nil
}

func (user *AuthInfo) flatten() error {
	dir, err := originDir(user.LocationOfOrigin)
	if err != nil {
		return err
	}
	if err := FlattenContent(&user.ClientCertificate, &user.ClientCertificateData, dir); err != nil {
		return fmt.Errorf("client-certificate: %w", err)
	}
	if err := FlattenContent(&user.ClientKey, &user.ClientKeyData, dir); err != nil {
		return fmt.Errorf("client-key: %w", err)
	}
	user.TokenFile = ResolvePath(user.TokenFile, dir)
	return nil
}

func (cluster *Cluster) flatten() error {
	dir, err := originDir(cluster.LocationOfOrigin)
	if err != nil {
		return err
	}
	if err := FlattenContent(&cluster.CertificateAuthority, &cluster.CertificateAuthorityData, dir); err != nil {
		return fmt.Errorf("certificate-authority: %w", err)
	}
	return nil
}

// originDir is the absolute path of the directory that a stanza's paths are
// relative to: the working directory where the stanza came from no file.
func originDir(origin string) (string, error) {
	return MakeAbs(filepath.Dir(origin), "")
}
