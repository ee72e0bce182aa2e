package clientcmd

import (
	"errors"
	"fmt"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func validateAuthInfo(name string, user clientcmdapi.AuthInfo) []error {
	p := problems{origin: user.LocationOfOrigin}

	// A bearer token and basic authentication share a header.
	var methods []string
	if user.Token != "" {
		methods = append(methods, "token")
	}
	if user.Username != "" || user.Password != "" {
		methods = append(methods, "basicAuth")
	}

	if user.ClientCertificate != "" || len(user.ClientCertificateData) != 0 {
		p.clientCertificate(name, user)
	}
	if user.Exec != nil {
		p.exec(name, user)
	}
	if len(methods) > 1 {
		p.add("more than one authentication method found for %v; found %v, only one is allowed", name, methods)
	}
	if user.Impersonate == "" && (user.ImpersonateUID != "" || len(user.ImpersonateGroups)+len(user.ImpersonateUserExtra) != 0) {
		p.add("requesting uid, groups or user-extra for %v without impersonating a user", name)
	}
	return p.errs
}

// clientCertificate looks at a certificate and its key. Who gives one of them
// both as a file and as data may mean the one that is ignored.
func (p *problems) clientCertificate(name string, user clientcmdapi.AuthInfo) {
	if user.ClientCertificate != "" && len(user.ClientCertificateData) != 0 {
		p.add("client-cert-data and client-cert are both specified for %v. client-cert-data will override.", name)
	}
	switch {
	case user.ClientKey != "" && len(user.ClientKeyData) != 0:
		p.add("client-key-data and client-key are both specified for %v; client-key-data will override", name)
	case user.ClientKey == "" && len(user.ClientKeyData) == 0:
		p.add("client-key-data or client-key must be specified for %v to use the clientCert authentication method.", name)
	}
	if len(user.ClientCertificateData) == 0 {
		p.readable(user.ClientCertificate, "client-cert", name)
	}
	if len(user.ClientKeyData) == 0 {
		p.readable(user.ClientKey, "client-key", name)
	}
}

// exec looks at a command that prints credentials.
func (p *problems) exec(name string, user clientcmdapi.AuthInfo) {
	missing := func(what string) {
		p.add("%s must be specified for %v to use exec authentication plugin", what, name)
	}
	if user.AuthProvider != nil {
		p.add("authProvider cannot be provided in combination with an exec plugin for %s", name)
	}
	if user.Exec.Command == "" {
		missing("command")
	}
	if user.Exec.APIVersion == "" {
		missing("apiVersion")
	}
	for _, variable := range user.Exec.Env {
		if variable.Name == "" {
			missing("env variable name")
			break
		}
	}
	switch user.Exec.InteractiveMode {
	case clientcmdapi.NeverExecInteractiveMode, clientcmdapi.IfAvailableExecInteractiveMode, clientcmdapi.AlwaysExecInteractiveMode:
	case "":
		missing("interactiveMode")
	default:
		p.add("invalid interactiveMode for %v: %q", name, user.Exec.InteractiveMode)
	}
	if err := validatePolicy(user.Exec.PluginPolicy); err != nil {
		p.add("allowlist misconfiguration: %w", err)
	}
}

// validatePolicy holds the rules of [clientcmdapi.PluginPolicy].
func validatePolicy(policy clientcmdapi.PluginPolicy) error {
	switch policy.PolicyType {
	case "", clientcmdapi.PluginPolicyAllowAll, clientcmdapi.PluginPolicyDenyAll:
		if policy.Allowlist != nil {
			return fmt.Errorf("misconfigured credential plugin allowlist: plugin policy is %q but allowlist is non-nil", policy.PolicyType)
		}
	case clientcmdapi.PluginPolicyAllowlist:
		if policy.Allowlist == nil {
			return errors.New(`credential plugin policy set to "Allowlist", but allowlist is unspecified`)
		}
		for i, entry := range policy.Allowlist {
			if entry == (clientcmdapi.AllowlistEntry{}) {
				return fmt.Errorf("misconfigured credential plugin allowlist: empty allowlist entry #%d", i+1)
			}
		}
	default:
		return fmt.Errorf("unknown plugin policy: %q", policy.PolicyType)
	}
	return nil
}
