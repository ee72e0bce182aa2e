package clientcmd

import (
	"os"
	"path/filepath"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ConfigAccess knows the files of a configuration, for those who change it.
type ConfigAccess interface {
	// GetLoadingPrecedence returns the files that are read, first the one that
	// hides the others.
	GetLoadingPrecedence() []string
	// GetStartingConfig returns the config to change.
	GetStartingConfig() (*clientcmdapi.Config, error)
	// GetDefaultFilename returns the file that new stanzas go to. It may not
	// exist yet.
	GetDefaultFilename() string
	// IsExplicitFile tells whether there is exactly one file and the user has
	// named it.
	IsExplicitFile() bool
	// GetExplicitFile returns that file, or "".
	GetExplicitFile() string
}

// PathOptions are the [ConfigAccess] of a command that shows and changes
// kubeconfigs, such as kubectl config. The file that the user names is
// LoadingRules.ExplicitPath.
type PathOptions struct {
	// GlobalFile is the path of the file to use if no other is named.
	GlobalFile string
	// EnvVar is the environment variable that lists files, or "" for none.
	EnvVar string
	// ExplicitFileFlag is the name of the flag that names a file.
	ExplicitFileFlag string

	// GlobalFileSubpath is how help texts call the GlobalFile, which is
	// different for each user.
	GlobalFileSubpath string

	LoadingRules *ClientConfigLoadingRules
}

var _ ConfigAccess = &PathOptions{}

// NewDefaultPathOptions returns the options that kubectl config has. Paths in
// the files are not resolved, so that they can be written as they were.
func NewDefaultPathOptions() *PathOptions {
	rules := NewDefaultClientConfigLoadingRules()
	rules.DoNotResolvePaths = true
	return &PathOptions{
		LoadingRules:      rules,
		GlobalFile:        RecommendedHomeFile,
		GlobalFileSubpath: filepath.Join(RecommendedHomeDir, RecommendedFileName),
		EnvVar:            RecommendedConfigPathEnvVar,
		ExplicitFileFlag:  RecommendedConfigPathFlag,
	}
}

// GetEnvVarFiles returns the files that the environment variable lists, each
// once.
func (o *PathOptions) GetEnvVarFiles() []string {
	if files := filesIn(o.EnvVar); files != nil {
		return files
	}
	return []string{}
}

// GetLoadingPrecedence returns the explicit file, or else the environment's, or
// else the global one.
func (o *PathOptions) GetLoadingPrecedence() []string {
	if o.IsExplicitFile() {
		return []string{o.GetExplicitFile()}
	}
	if files := o.GetEnvVarFiles(); len(files) != 0 {
		return files
	}
	return []string{o.GlobalFile}
}

// GetStartingConfig returns the merged files. Those that do not exist count as
// empty, the explicit one included.
func (o *PathOptions) GetStartingConfig() (*clientcmdapi.Config, error) {
	rules := *o.LoadingRules
	rules.Precedence = o.GetLoadingPrecedence()
	return startingConfig(&rules)
}

// GetDefaultFilename returns the explicit file, or else the first of the
// environment's that exists, or else the last of them, or else the global one.
func (o *PathOptions) GetDefaultFilename() string {
	if o.IsExplicitFile() {
		return o.GetExplicitFile()
	}
	last := ""
	for _, file := range o.GetEnvVarFiles() {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err == nil {
			return file
		}
		last = file
	}
	if last != "" {
		return last
	}
	return o.GlobalFile
}

// IsExplicitFile tells whether the user has named a file.
func (o *PathOptions) IsExplicitFile() bool { return o.LoadingRules.ExplicitPath != "" }

// GetExplicitFile returns the file that the user has named, or "".
func (o *PathOptions) GetExplicitFile() string { return o.LoadingRules.ExplicitPath }
