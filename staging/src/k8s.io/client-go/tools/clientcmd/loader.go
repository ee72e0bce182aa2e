package clientcmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/internal/atomicfile"
	restclient "k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/homedir"
	"k8s.io/klog/v2"
)

// The names that programs share, so that they find one another's files.
const (
	RecommendedConfigPathFlag   = "kubeconfig"
	RecommendedConfigPathEnvVar = "KUBECONFIG"
	RecommendedHomeDir          = ".kube"
	RecommendedFileName         = "config"
	RecommendedSchemaName       = "schema"
)

// Where files are unless something else is asked for.
var (
	RecommendedConfigDir  = filepath.Join(homedir.HomeDir(), RecommendedHomeDir)
	RecommendedHomeFile   = filepath.Join(RecommendedConfigDir, RecommendedFileName)
	RecommendedSchemaFile = filepath.Join(RecommendedConfigDir, RecommendedSchemaName)
)

// ClientConfigLoader knows where configuration comes from.
type ClientConfigLoader interface {
	ConfigAccess
	// IsDefaultConfig tells whether the config is what one gets if there is no
	// configuration; a pod's service account goes before that.
	IsDefaultConfig(*restclient.Config) bool
	// Load returns the configuration as it is now.
	Load() (*clientcmdapi.Config, error)
}

// KubeconfigGetter returns a config from wherever it likes.
type KubeconfigGetter func() (*clientcmdapi.Config, error)

// ClientConfigGetter is a [ClientConfigLoader] that has no files, only a
// [KubeconfigGetter].
type ClientConfigGetter struct {
	kubeconfigGetter KubeconfigGetter
}

var _ ClientConfigLoader = &ClientConfigGetter{}

// Load returns what the getter returns.
func (g *ClientConfigGetter) Load() (*clientcmdapi.Config, error) { return g.kubeconfigGetter() }

// GetStartingConfig returns what the getter returns.
func (g *ClientConfigGetter) GetStartingConfig() (*clientcmdapi.Config, error) {
	return g.kubeconfigGetter()
}

// GetLoadingPrecedence returns nil.
func (g *ClientConfigGetter) GetLoadingPrecedence() []string { return nil }

// GetDefaultFilename returns "".
func (g *ClientConfigGetter) GetDefaultFilename() string { return "" }

// IsExplicitFile returns false.
func (g *ClientConfigGetter) IsExplicitFile() bool { return false }

// GetExplicitFile returns "".
func (g *ClientConfigGetter) GetExplicitFile() string { return "" }

// IsDefaultConfig returns false.
func (g *ClientConfigGetter) IsDefaultConfig(config *restclient.Config) bool { return false }

// WarningHandler takes warnings. If nil, they are logged at verbosity 1.
type WarningHandler func(error)

// Warn passes err on.
func (handler WarningHandler) Warn(err error) {
	if handler == nil {
		klog.V(1).Info(err)
		return
	}
	handler(err)
}

// MissingConfigError is the warning that there is no configuration, and which files
// do not exist.
type MissingConfigError struct {
	Missing []string
}

func (c MissingConfigError) Error() string {
	return "Config not found: " + strings.Join(c.Missing, ", ")
}

// ClientConfigLoadingRules say which files to read. The package's documentation
// tells how several files are merged.
type ClientConfigLoadingRules struct {
	// ExplicitPath, unless empty, is the only file. It must exist.
	ExplicitPath string
	// Precedence are the files to merge if there is no ExplicitPath. Those
	// that do not exist are passed over.
	Precedence []string

	// MigrationRules maps new places of files to old ones. Before anything is
	// read, a file that is in its old place only is copied to the new one.
	MigrationRules map[string]string

	// DoNotResolvePaths leaves relative paths as they are written.
	DoNotResolvePaths bool

	// DefaultClientConfig, unless nil, gives what IsDefaultConfig compares
	// with. It should have the same overrides as the config that uses these
	// rules.
	DefaultClientConfig ClientConfig

	// WarnIfAllMissing warns if there is no configuration in the files of
	// Precedence because at least one of them does not exist.
	WarnIfAllMissing bool

	// Warner takes that warning.
	Warner WarningHandler
}

var _ ClientConfigLoader = &ClientConfigLoadingRules{}

// NewDefaultClientConfigLoadingRules returns the rules that kubectl has: the
// files listed in KUBECONFIG, or ~/.kube/config if that is not set.
func NewDefaultClientConfigLoadingRules() *ClientConfigLoadingRules {
	rules := &ClientConfigLoadingRules{
		Precedence:     []string{RecommendedHomeFile},
		MigrationRules: map[string]string{RecommendedHomeFile: filepath.Join(RecommendedConfigDir, ".kubeconfig")},
	}
	if files := filesIn(RecommendedConfigPathEnvVar); len(files) != 0 {
		// Who names files expects them to be there.
		rules.Precedence, rules.WarnIfAllMissing = files, true
	}
	return rules
}

// filesIn returns the files listed in an environment variable, each once.
func filesIn(variable string) (files []string) {
	if variable == "" {
		return nil
	}
	for _, file := range filepath.SplitList(os.Getenv(variable)) {
		if !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	return files
}

// Load copies files to their new places as MigrationRules say, reads all files,
// and merges them.
//
// If a file cannot be read or parsed, Load returns what the others hold, and an
// error that names each such file. If there is no file at all, the config is
// empty; but if the ExplicitPath does not exist, that is an error for which
// os.IsNotExist holds, and there is no config.
func (rules *ClientConfigLoadingRules) Load() (*clientcmdapi.Config, error) {
	if err := rules.Migrate(); err != nil {
		return nil, err
	}
	if rules.ExplicitPath != "" {
		if _, err := os.Stat(rules.ExplicitPath); os.IsNotExist(err) {
			return nil, err
		}
	}

	merged := clientcmdapi.NewConfig()
	var errs []error
	var missing []string
	loaded := 0
	for _, file := range rules.GetLoadingPrecedence() {
		if file == "" {
			continue
		}
		config, err := LoadFromFile(file)
		switch {
		case os.IsNotExist(err):
			missing = append(missing, file)
		case err != nil:
			errs = append(errs, fmt.Errorf("error loading config file %q: %w", file, err))
		default:
			addMissing(merged, config)
			loaded++
		}
	}
	if rules.WarnIfAllMissing && rules.ExplicitPath == "" && loaded == 0 && len(missing) != 0 {
		rules.Warner.Warn(MissingConfigError{Missing: missing})
	}
	if rules.ResolvePaths() {
		if err := ResolveLocalPaths(merged); err != nil {
			errs = append(errs, err)
		}
	}
	return merged, utilerrors.NewAggregate(errs)
}

// Migrate copies files to their new places as MigrationRules say. A file that
// is in its new place already is left alone.
func (rules *ClientConfigLoadingRules) Migrate() error {
	for to, from := range rules.MigrationRules {
		if _, err := os.Stat(to); err == nil || os.IsPermission(err) {
			continue
		} else if !os.IsNotExist(err) {
			return fmt.Errorf("looking for %s: %w", to, err)
		}
		if err := migrate(from, to); err != nil {
			return err
		}
	}
	return nil
}

// migrate copies a file, if there is one, so that only its owner can read it.
func migrate(from, to string) error {
	source, err := os.Open(from)
	if os.IsNotExist(err) || os.IsPermission(err) {
		return nil
	} else if err != nil {
		return err
	}
	defer source.Close()
	if info, err := source.Stat(); err != nil {
		return err
	} else if info.IsDir() {
		return fmt.Errorf("cannot migrate %v to %v because it is a directory", from, to)
	}
	content, err := io.ReadAll(source)
	if err != nil {
		return err
	}
	return atomicfile.Write(to, content, 0o600)
}

// ResolvePaths tells whether Load makes paths absolute.
func (rules ClientConfigLoadingRules) ResolvePaths() bool { return !rules.DoNotResolvePaths }

// GetLoadingPrecedence returns the files to read: the ExplicitPath, or else
// Precedence.
func (rules *ClientConfigLoadingRules) GetLoadingPrecedence() []string {
	if rules.ExplicitPath != "" {
		return []string{rules.ExplicitPath}
	}
	return rules.Precedence
}

// GetStartingConfig returns the merged files, or an empty config if a file that
// must exist does not.
func (rules *ClientConfigLoadingRules) GetStartingConfig() (*clientcmdapi.Config, error) {
	return startingConfig(rules)
}

func startingConfig(loader ClientConfigLoader) (*clientcmdapi.Config, error) {
	config, err := NewNonInteractiveDeferredLoadingClientConfig(loader, &ConfigOverrides{}).RawConfig()
	if errors.Is(err, os.ErrNotExist) {
		return clientcmdapi.NewConfig(), nil
	}
	if err != nil {
		return nil, err
	}
	return &config, nil
}

// GetDefaultFilename returns where new stanzas go: the ExplicitPath, or else the
// first file of Precedence that exists, or else the first of them all.
func (rules *ClientConfigLoadingRules) GetDefaultFilename() string {
	if rules.ExplicitPath != "" {
		return rules.ExplicitPath
	}
	first := ""
	for _, file := range rules.Precedence {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err == nil {
			return file
		}
		if first == "" {
			first = file
		}
	}
	return first
}

// IsExplicitFile tells whether there is an ExplicitPath.
func (rules *ClientConfigLoadingRules) IsExplicitFile() bool { return rules.ExplicitPath != "" }

// GetExplicitFile returns the ExplicitPath.
func (rules *ClientConfigLoadingRules) GetExplicitFile() string { return rules.ExplicitPath }

// IsDefaultConfig tells whether config is the one that DefaultClientConfig
// gives.
func (rules *ClientConfigLoadingRules) IsDefaultConfig(config *restclient.Config) bool {
	if rules.DefaultClientConfig == nil {
		return false
	}
	other, err := rules.DefaultClientConfig.ClientConfig()
	return err == nil && reflect.DeepEqual(config, other)
}
