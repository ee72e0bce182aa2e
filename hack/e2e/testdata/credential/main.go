// credential is an exec plugin, as kubeconfig files name them. It hands out what
// the file CREDENTIAL_STATUS holds, the JSON of an ExecCredential's status, and
// notes each of its runs as a line in CREDENTIAL_LOG.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "credential:", err)
		os.Exit(1)
	}
}

func run() error {
	var asked struct {
		APIVersion string          `json:"apiVersion"`
		Kind       string          `json:"kind"`
		Spec       json.RawMessage `json:"spec"`
	}
	if err := json.Unmarshal([]byte(os.Getenv("KUBERNETES_EXEC_INFO")), &asked); err != nil {
		return fmt.Errorf("KUBERNETES_EXEC_INFO: %w", err)
	}
	status, err := os.ReadFile(os.Getenv("CREDENTIAL_STATUS"))
	if err != nil {
		return err
	}
	log, err := os.OpenFile(os.Getenv("CREDENTIAL_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	if _, err := fmt.Fprintf(log, "%s\n", asked.Spec); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"apiVersion": asked.APIVersion, "kind": asked.Kind, "status": json.RawMessage(status),
	})
}
