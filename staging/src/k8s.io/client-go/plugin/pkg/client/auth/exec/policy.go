package exec

import (
	"fmt"
	"os/exec"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/metrics"
)

// ValidatePluginPolicy returns an error if policy is not of a known type, or if
// its type and its allowlist do not go together: only the type Allowlist has
// one, and that has at least one entry. An entry names a command, or has the
// absolute path of one in its shortest form.
func ValidatePluginPolicy(policy api.PluginPolicy) error {
	switch policy.PolicyType {
	case "", api.PluginPolicyAllowAll, api.PluginPolicyDenyAll:
		if policy.Allowlist != nil {
			return fmt.Errorf("misconfigured credential plugin allowlist: plugin policy is %q but allowlist is non-nil", policy.PolicyType)
		}
		return nil
	case api.PluginPolicyAllowlist:
		return validateAllowlist(policy.Allowlist)
	default:
		return fmt.Errorf("unknown plugin policy: %q", policy.PolicyType)
	}
}

func validateAllowlist(list []api.AllowlistEntry) error {
	switch {
	case list == nil:
		return fmt.Errorf("credential plugin policy set to %q, but allowlist is unspecified", api.PluginPolicyAllowlist)
	case len(list) == 0:
		return fmt.Errorf("credential plugin policy set to %q, but allowlist is empty; use %q policy instead",
			api.PluginPolicyAllowlist, api.PluginPolicyDenyAll)
	}
	for i, command := range commandsOf(list) {
		if command == "" {
			return fmt.Errorf("misconfigured credential plugin allowlist: empty allowlist entry #%d", i+1)
		}
		if clean := filepath.Clean(command); clean != command {
			return fmt.Errorf("non-normalized file path: %q vs %q", command, clean)
		}
	}
	return nil
}

func commandsOf(list []api.AllowlistEntry) []string {
	if list == nil {
		return nil
	}
	commands := make([]string, len(list))
	for i, entry := range list {
		commands[i] = entry.Command
	}
	return commands
}

// checkPolicy returns what to run for command, or an error if policy, which is
// valid, does not allow it to run. It looks commands up every time, as PATH and
// what is in its directories may change.
func checkPolicy(policy *api.PluginPolicy, command string) (path string, err error) {
	path, err = allowed(policy, command)
	if err != nil {
		metrics.ExecPluginPolicyCalls.Increment("denied")
	} else {
		metrics.ExecPluginPolicyCalls.Increment("allowed")
	}
	return path, err
}

func allowed(policy *api.PluginPolicy, command string) (string, error) {
	switch policy.PolicyType {
	case api.PluginPolicyDenyAll:
		return "", fmt.Errorf("plugin %q not allowed: policy set to %q", command, policy.PolicyType)
	case api.PluginPolicyAllowlist:
	default:
		return command, nil
	}

	path, err := resolve(command)
	if err != nil {
		return "", fmt.Errorf("plugin %q is not permitted by the credential plugin allowlist: %w", command, err)
	}
	for _, entry := range commandsOf(policy.Allowlist) {
		if other, err := resolve(entry); err == nil && other == path {
			return path, nil
		}
	}
	return "", fmt.Errorf("plugin path %q is not permitted by the credential plugin allowlist", path)
}

// resolve returns the absolute path of the file that is run for command.
func resolve(command string) (string, error) {
	path, err := exec.LookPath(command)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
