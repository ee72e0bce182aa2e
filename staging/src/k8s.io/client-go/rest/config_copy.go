package rest

import (
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"

	"k8s.io/client-go/pkg/version"
)

// CopyConfig returns a copy of config that may be changed. What its pointers and slices
// refer to is shared.
func CopyConfig(config *Config) *Config {
	c := *config
	return &c
}

// AnonymousClientConfig returns a copy of config that has nothing by which its user is
// known: no password, token, certificate, plugin, impersonation or custom transport.
func AnonymousClientConfig(config *Config) *Config {
	c := *config
	c.Username, c.Password = "", ""
	c.BearerToken, c.BearerTokenFile = "", ""
	c.Impersonate = ImpersonationConfig{}
	c.AuthProvider, c.AuthConfigPersister, c.ExecProvider = nil, nil, nil
	c.CertFile, c.CertData = "", nil
	c.KeyFile, c.KeyData = "", nil
	c.Transport, c.WrapTransport = nil, nil
	return &c
}

// SetKubernetesDefaults fills in the user agent if there is none. It returns no error; the
// result is kept for callers that check it.
func SetKubernetesDefaults(config *Config) error {
	if config.UserAgent == "" {
		config.UserAgent = DefaultKubernetesUserAgent()
	}
	return nil
}

// AddUserAgent makes config's user agent the default one followed by a slash and
// userAgent, and returns config.
func AddUserAgent(config *Config, userAgent string) *Config {
	config.UserAgent = DefaultKubernetesUserAgent() + "/" + userAgent
	return config
}

// DefaultKubernetesUserAgent returns how programs call themselves by default: the name of
// the command, its version, the platform, and the commit of the library. Servers that manage fields take the
// part before the first slash for the manager.
func DefaultKubernetesUserAgent() string { return defaultUserAgent() }

var defaultUserAgent = sync.OnceValue(func() string {
	v := version.Get()
	return userAgent(os.Args[0], v.GitVersion, goruntime.GOOS, goruntime.GOARCH, v.GitCommit)
})

func userAgent(command, version, system, arch, commit string) string {
	name := filepath.Base(command)
	if command == "" {
		name = "unknown"
	}
	// What follows a dash says how far from a release this is, which is nobody's
	// business.
	if version, _, _ = strings.Cut(version, "-"); version == "" {
		version = "unknown"
	}
	const shortHash = 7
	switch {
	case commit == "":
		commit = "unknown"
	case len(commit) > shortHash:
		commit = commit[:shortHash]
	}
	return name + "/" + version + " (" + system + "/" + arch + ") kubernetes/" + commit
}
