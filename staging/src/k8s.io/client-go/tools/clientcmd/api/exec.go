package api

import (
	"k8s.io/apimachinery/pkg/runtime"
)

// ExecConfig is a command that prints credentials to its standard output, as
// an object of the API group client.authentication.k8s.io. It prints without
// what may be secret: arguments, environment and the cluster's configuration.
type ExecConfig struct {
	// Command is the program to run: a path, or a name to look up in PATH.
	Command string `json:"command"`
	// Args are the program's arguments, without its name.
	// +optional
	Args []string `json:"args"`
	// Env is added to the environment that the program inherits.
	// +optional
	Env []ExecEnvVar `json:"env"`

	// APIVersion is the version of client.authentication.k8s.io that goes
	// into the program and has to come out of it.
	APIVersion string `json:"apiVersion,omitempty"`

	// InstallHint is shown to the user if there is no such program. It says
	// how to get it.
	InstallHint string `json:"installHint,omitempty"`

	// ProvideClusterInfo passes the cluster to the program, certificate
	// authorities included, in the environment variable KUBERNETES_EXEC_INFO.
	// The package k8s.io/client-go/tools/auth/exec reads it there.
	ProvideClusterInfo bool `json:"provideClusterInfo"`

	// Config is what the cluster's extension named
	// client.authentication.k8s.io/exec holds. It lets many clusters share one
	// user and still tell the program something of their own, such as an
	// audience. It is no place for secrets.
	// +k8s:conversion-gen=false
	Config runtime.Object `json:"-"`

	// InteractiveMode says whether the program may read standard input. It
	// has to be set, except for the versions v1alpha1 and v1beta1 of
	// client.authentication.k8s.io, where it is IfAvailable unless set.
	// +optional
	InteractiveMode ExecInteractiveMode `json:"interactiveMode,omitempty"`

	// StdinUnavailable is set by a caller that needs standard input itself.
	// +k8s:conversion-gen=false
	StdinUnavailable bool `json:"-"`

	// StdinUnavailableMessage says what standard input is needed for, to
	// complete the error of a program that cannot do without.
	// +k8s:conversion-gen=false
	StdinUnavailableMessage string `json:"-"`

	// PluginPolicy decides whether the program may be run at all.
	// +k8s:conversion-gen=false
	PluginPolicy PluginPolicy `json:"-"`
}

// ExecEnvVar is an environment variable for an [ExecConfig]'s program.
type ExecEnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ExecInteractiveMode says what an [ExecConfig]'s program does with standard
// input.
type ExecInteractiveMode string

const (
	// NeverExecInteractiveMode: it does not read standard input.
	NeverExecInteractiveMode ExecInteractiveMode = "Never"
	// IfAvailableExecInteractiveMode: it reads standard input if that is a
	// terminal nobody else needs, and manages without otherwise.
	IfAvailableExecInteractiveMode ExecInteractiveMode = "IfAvailable"
	// AlwaysExecInteractiveMode: it is not run unless it can have standard
	// input; asking for credentials then fails.
	AlwaysExecInteractiveMode ExecInteractiveMode = "Always"
)

// PluginPolicy decides which programs may be run for credentials.
type PluginPolicy struct {
	// PolicyType is one of the constants below. Empty is the same as
	// PluginPolicyAllowAll.
	PolicyType PolicyType `json:"-"`

	// Allowlist has to be nil unless PolicyType is PluginPolicyAllowlist. A
	// program may run if any of the entries admits it.
	Allowlist []AllowlistEntry `json:"-"`
}

// PolicyType is the kind of a [PluginPolicy].
type PolicyType string

const (
	// PluginPolicyAllowAll lets every program run.
	PluginPolicyAllowAll PolicyType = "AllowAll"
	// PluginPolicyDenyAll lets none run.
	PluginPolicyDenyAll PolicyType = "DenyAll"
	// PluginPolicyAllowlist lets those run that the allowlist admits.
	PluginPolicyAllowlist PolicyType = "Allowlist"
)

// AllowlistEntry admits the programs that meet each of its fields that is set.
// At least one has to be.
type AllowlistEntry struct {
	// Command is a path or a name. It admits the programs that exec.LookPath
	// resolves to the same absolute path as this.
	Command string `json:"-"`
}
