package clientcmd

import (
	"fmt"
	"os"
	"strings"
	"unicode"

	restclient "k8s.io/client-go/rest"
	clientauth "k8s.io/client-go/tools/auth"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// clusterExecExtension is the name of the cluster's extension that is passed to
// a user's credential plugin.
const clusterExecExtension = "client.authentication.k8s.io/exec"

// impersonate makes client act as the user says.
func impersonate(client *restclient.Config, user clientcmdapi.AuthInfo) {
	if user.Impersonate == "" {
		return
	}
	client.Impersonate.UserName = user.Impersonate
	client.Impersonate.UID = user.ImpersonateUID
	client.Impersonate.Groups = user.ImpersonateGroups
	client.Impersonate.Extra = user.ImpersonateUserExtra
}

// trust makes client check the server's certificate as the cluster says.
func trust(client *restclient.Config, cluster clientcmdapi.Cluster) {
	client.TLSClientConfig.ServerName = cluster.TLSServerName
	client.TLSClientConfig.Insecure = cluster.InsecureSkipTLSVerify
	client.TLSClientConfig.CAFile = cluster.CertificateAuthority
	client.TLSClientConfig.CAData = cluster.CertificateAuthorityData
}

// authenticate gives client the user's credentials. If there are none, and
// somebody to ask, it asks.
func (config *DirectClientConfig) authenticate(client *restclient.Config, chosen chosen) error {
	user := chosen.user
	client.BearerToken, client.BearerTokenFile = user.Token, user.TokenFile
	if user.Token == "" && user.TokenFile != "" {
		token, err := os.ReadFile(user.TokenFile)
		if err != nil {
			return err
		}
		client.BearerToken = strings.TrimSpace(string(token))
	}
	// A key without its certificate is of no use.
	if user.ClientCertificate != "" || len(user.ClientCertificateData) != 0 {
		client.TLSClientConfig.CertFile = user.ClientCertificate
		client.TLSClientConfig.CertData = user.ClientCertificateData
		client.TLSClientConfig.KeyFile = user.ClientKey
		client.TLSClientConfig.KeyData = user.ClientKeyData
	}
	client.Username, client.Password = user.Username, user.Password
	if user.AuthProvider != nil {
		client.AuthProvider = user.AuthProvider.DeepCopy()
		client.AuthConfigPersister = config.persister(chosen.context.AuthInfo)
	}
	if user.Exec != nil {
		// A copy, because each cluster that the user is at has its own
		// settings for the plugin.
		client.ExecProvider = user.Exec.DeepCopy()
		client.ExecProvider.InstallHint = printable(user.Exec.InstallHint)
		client.ExecProvider.Config = chosen.cluster.Extensions[clusterExecExtension]
	}
	if config.fallbackReader != nil && !canIdentify(client) {
		return config.prompt(client)
	}
	return nil
}

// persister returns where a plugin keeps its settings, or nil.
func (config *DirectClientConfig) persister(user string) restclient.AuthProviderConfigPersister {
	if config.configAccess == nil {
		return nil
	}
	return PersisterForUser(config.configAccess, user)
}

// canIdentify tells whether client has credentials.
func canIdentify(client *restclient.Config) bool {
	return client.Username != "" || client.BearerToken != "" ||
		client.CertFile != "" || len(client.CertData) != 0 ||
		client.AuthProvider != nil || client.ExecProvider != nil
}

// prompt asks for a user name and a password, once.
func (config *DirectClientConfig) prompt(client *restclient.Config) error {
	if config.prompted == (promptedCredentials{}) {
		info, err := NewPromptingAuthLoader(config.fallbackReader).Prompt()
		if err != nil {
			return err
		}
		config.prompted = promptedCredentials{username: info.User, password: info.Password}
	}
	info := clientauth.Info{User: config.prompted.username, Password: config.prompted.password}
	client.Username, client.Password = info.User, info.Password
	return nil
}

// printable returns text whose control characters are spelled out, because it
// is printed on terminals and the file it comes from may be somebody else's.
func printable(text string) string {
	if !strings.ContainsFunc(text, isControl) {
		return text
	}
	var spelled strings.Builder
	for _, r := range text {
		if isControl(r) {
			fmt.Fprintf(&spelled, "%U", r)
		} else {
			spelled.WriteRune(r)
		}
	}
	return spelled.String()
}

// isControl tells whether r is a control character other than white space.
func isControl(r rune) bool {
	return unicode.IsControl(r) && !unicode.IsSpace(r)
}
