package clientcmd

import (
	"errors"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ConfigOverrides are values that go before those of the files. A field that is
// empty overrides nothing. There are no maps here, because a command line
// speaks of one cluster, one user and one context.
type ConfigOverrides struct {
	AuthInfo clientcmdapi.AuthInfo
	// ClusterDefaults are the exception: what the files say goes before them.
	ClusterDefaults clientcmdapi.Cluster
	ClusterInfo     clientcmdapi.Cluster
	Context         clientcmdapi.Context
	// CurrentContext is the name of the context to use. It must exist.
	CurrentContext string
	// Timeout of a request is what [ParseTimeout] parses.
	Timeout string
}

// ConfigOverrideFlags are the flags that set [ConfigOverrides].
type ConfigOverrideFlags struct {
	AuthOverrideFlags    AuthOverrideFlags
	ClusterOverrideFlags ClusterOverrideFlags
	ContextOverrideFlags ContextOverrideFlags
	CurrentContext       FlagInfo
	Timeout              FlagInfo
}

// AuthOverrideFlags are the flags that set ConfigOverrides.AuthInfo.
type AuthOverrideFlags struct {
	ClientCertificate FlagInfo
	ClientKey         FlagInfo
	Token             FlagInfo
	Impersonate       FlagInfo
	ImpersonateUID    FlagInfo
	ImpersonateGroups FlagInfo
	Username          FlagInfo
	Password          FlagInfo
}

// ContextOverrideFlags are the flags that set ConfigOverrides.Context.
type ContextOverrideFlags struct {
	ClusterName  FlagInfo
	AuthInfoName FlagInfo
	Namespace    FlagInfo
}

// ClusterOverrideFlags are the flags that set ConfigOverrides.ClusterInfo.
// APIVersion is not bound to anything.
type ClusterOverrideFlags struct {
	APIServer             FlagInfo
	APIVersion            FlagInfo
	CertificateAuthority  FlagInfo
	InsecureSkipTLSVerify FlagInfo
	TLSServerName         FlagInfo
	ProxyURL              FlagInfo
	DisableCompression    FlagInfo
}

// The names of the recommended flags, without prefix.
const (
	FlagClusterName        = "cluster"
	FlagAuthInfoName       = "user"
	FlagContext            = "context"
	FlagNamespace          = "namespace"
	FlagAPIServer          = "server"
	FlagTLSServerName      = "tls-server-name"
	FlagInsecure           = "insecure-skip-tls-verify"
	FlagCertFile           = "client-certificate"
	FlagKeyFile            = "client-key"
	FlagCAFile             = "certificate-authority"
	FlagEmbedCerts         = "embed-certs"
	FlagBearerToken        = "token"
	FlagImpersonate        = "as"
	FlagImpersonateUID     = "as-uid"
	FlagImpersonateGroup   = "as-group"
	FlagUsername           = "username"
	FlagPassword           = "password"
	FlagTimeout            = "request-timeout"
	FlagProxyURL           = "proxy-url"
	FlagDisableCompression = "disable-compression"
)

// RecommendedConfigOverrideFlags returns the flags that kubectl has, with
// prefix in front of their names.
func RecommendedConfigOverrideFlags(prefix string) (flags ConfigOverrideFlags) {
	flags.AuthOverrideFlags = RecommendedAuthOverrideFlags(prefix)
	flags.ClusterOverrideFlags = RecommendedClusterOverrideFlags(prefix)
	flags.ContextOverrideFlags = RecommendedContextOverrideFlags(prefix)
	flags.CurrentContext = recommended(prefix, FlagContext)
	flags.Timeout = recommended(prefix, FlagTimeout)
	return flags
}

// RecommendedAuthOverrideFlags returns the flags that kubectl has for users,
// with prefix in front of their names.
func RecommendedAuthOverrideFlags(prefix string) (flags AuthOverrideFlags) {
	flags.ClientCertificate = recommended(prefix, FlagCertFile)
	flags.ClientKey = recommended(prefix, FlagKeyFile)
	flags.Token = recommended(prefix, FlagBearerToken)
	flags.Impersonate = recommended(prefix, FlagImpersonate)
	flags.ImpersonateUID = recommended(prefix, FlagImpersonateUID)
	flags.ImpersonateGroups = recommended(prefix, FlagImpersonateGroup)
	flags.Username = recommended(prefix, FlagUsername)
	flags.Password = recommended(prefix, FlagPassword)
	return flags
}

// RecommendedClusterOverrideFlags returns the flags that kubectl has for
// clusters, with prefix in front of their names.
func RecommendedClusterOverrideFlags(prefix string) (flags ClusterOverrideFlags) {
	flags.APIServer = recommended(prefix, FlagAPIServer)
	flags.CertificateAuthority = recommended(prefix, FlagCAFile)
	flags.InsecureSkipTLSVerify = recommended(prefix, FlagInsecure)
	flags.TLSServerName = recommended(prefix, FlagTLSServerName)
	flags.ProxyURL = recommended(prefix, FlagProxyURL)
	flags.DisableCompression = recommended(prefix, FlagDisableCompression)
	return flags
}

// RecommendedContextOverrideFlags returns the flags that kubectl has for
// contexts, with prefix in front of their names.
func RecommendedContextOverrideFlags(prefix string) (flags ContextOverrideFlags) {
	flags.ClusterName = recommended(prefix, FlagClusterName)
	flags.AuthInfoName = recommended(prefix, FlagAuthInfoName)
	flags.Namespace = recommended(prefix, FlagNamespace)
	return flags
}

// recommended returns the flag of that name as kubectl shows it.
func recommended(prefix, name string) FlagInfo {
	flag := FlagInfo{LongName: prefix + name, Description: flagHelp(name)}
	switch name {
	case FlagNamespace:
		flag.ShortName = "n"
	case FlagTimeout:
		flag.Default = "0"
	case FlagInsecure:
		flag.Default = "false"
	}
	return flag
}

// flagHelp returns what kubectl's help says of the flag.
func flagHelp(name string) string {
	switch name {
	case FlagClusterName, FlagAuthInfoName, FlagContext:
		return "The name of the kubeconfig " + name + " to use"
	case FlagNamespace:
		return "If present, the namespace scope for this CLI request"
	case FlagAPIServer:
		return "The address and port of the Kubernetes API server"
	case FlagTLSServerName:
		return "If provided, this name will be used to validate server certificate. If this is not provided, hostname used to contact the server is used."
	case FlagInsecure:
		return "If true, the server's certificate will not be checked for validity. This will make your HTTPS connections insecure"
	case FlagCertFile:
		return "Path to a client certificate file for TLS"
	case FlagKeyFile:
		return "Path to a client key file for TLS"
	case FlagCAFile:
		return "Path to a cert file for the certificate authority"
	case FlagBearerToken:
		return "Bearer token for authentication to the API server"
	case FlagImpersonate:
		return "Username to impersonate for the operation"
	case FlagImpersonateUID:
		return "UID to impersonate for the operation"
	case FlagImpersonateGroup:
		return "Group to impersonate for the operation, this flag can be repeated to specify multiple groups."
	case FlagUsername:
		return "Username for basic authentication to the API server"
	case FlagPassword:
		return "Password for basic authentication to the API server"
	case FlagTimeout:
		return "The length of time to wait before giving up on a single server request. Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h). A value of zero means don't timeout requests."
	case FlagProxyURL:
		return "If provided, this URL will be used to connect via proxy"
	case FlagDisableCompression:
		return "If true, opt-out of response compression for all requests to the server"
	}
	return ""
}

// BindOverrideFlags defines flags that set overrides. A program whose help does
// not sort its flags shows them in the order in which they are defined.
func BindOverrideFlags(overrides *ConfigOverrides, flags *pflag.FlagSet, flagNames ConfigOverrideFlags) {
	BindAuthInfoFlags(&overrides.AuthInfo, flags, flagNames.AuthOverrideFlags)
	BindClusterFlags(&overrides.ClusterInfo, flags, flagNames.ClusterOverrideFlags)
	BindContextFlags(&overrides.Context, flags, flagNames.ContextOverrideFlags)
	flagNames.CurrentContext.BindStringFlag(flags, &overrides.CurrentContext)
	flagNames.Timeout.BindStringFlag(flags, &overrides.Timeout)
}

// BindAuthInfoFlags defines flags that set authInfo. All of them are marked as
// secret, because they say who the user is.
func BindAuthInfoFlags(authInfo *clientcmdapi.AuthInfo, flags *pflag.FlagSet, flagNames AuthOverrideFlags) {
	secret := func(flag FlagInfo, target *string) {
		flag.BindStringFlag(flags, target).AddSecretAnnotation(flags)
	}
	secret(flagNames.ClientCertificate, &authInfo.ClientCertificate)
	secret(flagNames.ClientKey, &authInfo.ClientKey)
	secret(flagNames.Token, &authInfo.Token)
	secret(flagNames.Impersonate, &authInfo.Impersonate)
	secret(flagNames.ImpersonateUID, &authInfo.ImpersonateUID)
	flagNames.ImpersonateGroups.BindStringArrayFlag(flags, &authInfo.ImpersonateGroups).AddSecretAnnotation(flags)
	secret(flagNames.Username, &authInfo.Username)
	secret(flagNames.Password, &authInfo.Password)
}

// BindClusterFlags defines flags that set clusterInfo.
func BindClusterFlags(clusterInfo *clientcmdapi.Cluster, flags *pflag.FlagSet, flagNames ClusterOverrideFlags) {
	text := func(flag FlagInfo, target *string) { flag.BindStringFlag(flags, target) }
	toggle := func(flag FlagInfo, target *bool) { flag.BindBoolFlag(flags, target) }
	text(flagNames.APIServer, &clusterInfo.Server)
	text(flagNames.CertificateAuthority, &clusterInfo.CertificateAuthority)
	toggle(flagNames.InsecureSkipTLSVerify, &clusterInfo.InsecureSkipTLSVerify)
	text(flagNames.TLSServerName, &clusterInfo.TLSServerName)
	text(flagNames.ProxyURL, &clusterInfo.ProxyURL)
	toggle(flagNames.DisableCompression, &clusterInfo.DisableCompression)
}

// BindContextFlags defines flags that set contextInfo.
func BindContextFlags(contextInfo *clientcmdapi.Context, flags *pflag.FlagSet, flagNames ContextOverrideFlags) {
	flagNames.ClusterName.BindStringFlag(flags, &contextInfo.Cluster)
	flagNames.AuthInfoName.BindStringFlag(flags, &contextInfo.AuthInfo)
	flagNames.Namespace.BindTransformingStringFlag(flags, &contextInfo.Namespace, RemoveNamespacesPrefix)
}

// ParseTimeout returns what the flag --request-timeout stands for: a number of
// seconds, or what time.ParseDuration parses, such as 2m30s. Zero is no limit.
func ParseTimeout(duration string) (time.Duration, error) {
	if seconds, err := strconv.ParseInt(duration, 10, 64); err == nil && seconds >= 0 {
		if limit := time.Duration(seconds) * time.Second; limit/time.Second == time.Duration(seconds) {
			return limit, nil
		}
	}
	if limit, err := time.ParseDuration(duration); err == nil {
		return limit, nil
	}
	return 0, errors.New("invalid timeout value: timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)")
}
