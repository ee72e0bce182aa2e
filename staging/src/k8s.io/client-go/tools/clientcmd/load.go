package clientcmd

import (
	"fmt"
	"os"

	"k8s.io/client-go/internal/atomicfile"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Load returns the config that data, which is YAML or JSON, describes. Empty
// data describes an empty config. Unknown fields are passed over.
//
// Errors tell the line where they can; data of another kind or version is an
// error for which runtime.IsNotRegisteredError holds.
func Load(data []byte) (*clientcmdapi.Config, error) {
	config, err := decode(data)
	if err != nil {
		return nil, err
	}
	// Programs write to the maps without looking.
	addEntries(&config.Clusters, nil)
	addEntries(&config.AuthInfos, nil)
	addEntries(&config.Contexts, nil)
	return config, nil
}

// LoadFromFile returns the config that the file describes, as [Load] does. Each
// cluster, user and context knows that it came from that file; paths are left
// as they are written, see [ResolveLocalPaths]. If the file cannot be read, the
// error is the operating system's.
func LoadFromFile(filename string) (*clientcmdapi.Config, error) {
	data, err := os.ReadFile(filename)
	if err != nil {
		return nil, err
	}
	config, err := Load(data)
	if err != nil {
		return nil, err
	}
	for _, user := range config.AuthInfos {
		user.LocationOfOrigin = filename
	}
	for _, cluster := range config.Clusters {
		cluster.LocationOfOrigin = filename
	}
	for _, context := range config.Contexts {
		context.LocationOfOrigin = filename
	}
	return config, nil
}

// GetConfigFromFileOrDie returns the config that the file describes, or an
// empty one if there is no such file. With any other error it ends the program.
func GetConfigFromFileOrDie(filename string) *clientcmdapi.Config {
	config, err := fileOrEmpty(filename)
	if err != nil {
		fmt.Fprintf(os.Stderr, "error loading config file %q: %v\n", filename, err)
		os.Exit(1)
	}
	return config
}

// fileOrEmpty returns the config that the file describes, or an empty one if
// there is no such file.
func fileOrEmpty(filename string) (*clientcmdapi.Config, error) {
	config, err := LoadFromFile(filename)
	if os.IsNotExist(err) {
		return clientcmdapi.NewConfig(), nil
	}
	return config, err
}

// WriteToFile writes config to the file as YAML, in place of what was there.
//
// A file that does not exist is created for its owner alone (mode 0600), and
// directories as needed; one that does keeps its mode. Where the file system
// permits, readers see the old contents or the new ones and nothing in between.
func WriteToFile(config clientcmdapi.Config, filename string) error {
	content, err := Write(config)
	if err != nil {
		return err
	}
	return atomicfile.Write(filename, content, 0o600)
}

// Write returns config as YAML.
func Write(config clientcmdapi.Config) ([]byte, error) {
	return encode(config)
}
