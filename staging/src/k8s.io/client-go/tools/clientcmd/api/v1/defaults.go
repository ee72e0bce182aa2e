package v1

// SetDefaults_ExecConfig sets the interactive mode of a command that speaks a
// version from before there was one. Such commands could always read standard
// input, and still can.
func SetDefaults_ExecConfig(exec *ExecConfig) {
	if exec.InteractiveMode != "" {
		return
	}
	switch exec.APIVersion {
	case "client.authentication.k8s.io/v1alpha1", "client.authentication.k8s.io/v1beta1":
		exec.InteractiveMode = IfAvailableExecInteractiveMode
	}
}
