package v1

// ExecConfig is a command that prints credentials to its standard output, as
// an object of the API group client.authentication.k8s.io.
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

	// InteractiveMode says whether the program may read standard input. It
	// has to be set, except for the versions v1alpha1 and v1beta1 of
	// client.authentication.k8s.io, where it is IfAvailable unless set.
	// +optional
	InteractiveMode ExecInteractiveMode `json:"interactiveMode,omitempty"`
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
