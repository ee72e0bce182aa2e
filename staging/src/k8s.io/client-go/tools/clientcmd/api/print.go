package api

import (
	"fmt"
)

// withheld stands for a value that may be secret.
const withheld = "--- REDACTED ---"

// String describes c without its configuration.
func (c AuthProviderConfig) String() string {
	config := "<nil>"
	if len(c.Config) != 0 {
		config = withheld
	}
	return fmt.Sprintf("api.AuthProviderConfig{Name: %q, Config: map[string]string{%s}}", c.Name, config)
}

// GoString describes c without its configuration.
func (c AuthProviderConfig) GoString() string { return c.String() }

// String describes c without arguments, environment and the cluster's
// configuration.
func (c ExecConfig) String() string {
	args, env, config := "(nil)", "(nil)", "nil"
	if len(c.Args) != 0 {
		args = `{"` + withheld + `"}`
	}
	if len(c.Env) != 0 {
		env = "{" + withheld + "}"
	}
	if c.Config != nil {
		config = withheld
	}
	return fmt.Sprintf("api.ExecConfig{Command: %q, Args: []string%s, Env: []ExecEnvVar%s, APIVersion: %q, "+
		"ProvideClusterInfo: %t, Config: runtime.Object(%s), StdinUnavailable: %t}",
		c.Command, args, env, c.APIVersion, c.ProvideClusterInfo, config, c.StdinUnavailable)
}

// GoString describes c as String does.
func (c ExecConfig) GoString() string { return c.String() }
