package clientcmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clientcmdapiv1 "k8s.io/client-go/tools/clientcmd/api/v1"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// A kubeconfig has one version and one kind, so it takes no scheme to read it:
// the version on disk is decoded, gets its defaults, and is converted.

// decode returns the config that YAML or JSON describes.
func decode(data []byte) (*clientcmdapi.Config, error) {
	onDisk := new(clientcmdapiv1.Config)
	if len(bytes.TrimSpace(data)) != 0 {
		if err := unmarshal(data, onDisk); err != nil {
			return nil, err
		}
	}
	clientcmdapiv1.SetObjectDefaults_Config(onDisk)

	config := &clientcmdapi.Config{Extensions: map[string]runtime.Object{}}
	if err := clientcmdapiv1.Convert_v1_Config_To_api_Config(onDisk, config, nil); err != nil {
		return nil, err
	}
	config.Kind, config.APIVersion = "", ""
	return config, nil
}

// unmarshal decodes YAML or JSON.
func unmarshal(data []byte, onDisk *clientcmdapiv1.Config) error {
	asJSON, isBlock := blockToJSON(data)
	if !isBlock {
		var err error
		if asJSON, err = yaml.YAMLToJSON(data); err != nil {
			return withLine(err)
		}
	}
	err := kjson.UnmarshalCaseSensitivePreserveInts(asJSON, onDisk)
	if kindErr := checkKind(asJSON, onDisk, err); kindErr != nil {
		return kindErr
	}
	if mismatch := (*json.UnmarshalTypeError)(nil); isBlock && errors.As(err, &mismatch) {
		if line := blockLine(data, int(mismatch.Offset)); line != 0 {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	return err
}

// withLine adds the line to an error of the YAML parser, which leaves it out if
// it is the first.
func withLine(err error) error {
	if text, found := strings.CutPrefix(err.Error(), "yaml: "); found && !strings.Contains(text, "line ") {
		return fmt.Errorf("yaml: line 1: %s", text)
	}
	return err
}

// checkKind returns an error if this is no kubeconfig. Another kind of object
// is told as such, and not by the fields that did not fit.
func checkKind(asJSON []byte, onDisk *clientcmdapiv1.Config, err error) error {
	apiVersion, kind := onDisk.APIVersion, onDisk.Kind
	if err != nil {
		// Decoding may have ended before these fields.
		var meta struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		var mismatch *json.UnmarshalTypeError
		if err := kjson.UnmarshalCaseSensitivePreserveInts(asJSON, &meta); errors.As(err, &mismatch) && mismatch.Field == "" {
			return fmt.Errorf("not a kubeconfig: found a value of type %s instead of fields such as clusters, users and contexts", mismatch.Value)
		}
		apiVersion, kind = meta.APIVersion, meta.Kind
	}
	if (apiVersion == "" || apiVersion == "v1") && (kind == "" || kind == "Config") {
		return nil
	}
	version, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return fmt.Errorf("not a kubeconfig: %w", err)
	}
	if version.Empty() {
		version.Version = "v1"
	}
	if kind == "" {
		kind = "Config"
	}
	return runtime.NewNotRegisteredErrForKind("kubeconfig", version.WithKind(kind))
}

// encode returns config as YAML whose fields are sorted, so that a file that is
// written again differs only where its contents do.
func encode(config clientcmdapi.Config) ([]byte, error) {
	onDisk := new(clientcmdapiv1.Config)
	if err := clientcmdapiv1.Convert_api_Config_To_v1_Config(&config, onDisk, nil); err != nil {
		return nil, err
	}
	onDisk.Kind, onDisk.APIVersion = "Config", "v1"
	return yaml.Marshal(onDisk)
}
