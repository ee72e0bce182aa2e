// Package botconfig reads the configuration file of kubernetes/publishing-bot, for
// those who come from there.
//
// The file is YAML, one mapping, as the bot finds it under the key config of its
// ConfigMap publisher-config:
//
//	source-org: kubernetes
//	source-repo: kubernetes
//	target-org: kubernetes
//	github-host: github.com
//	rules-file: /etc/publisher-rules/config
//	token-file: /etc/secret-volume/token
//	github-issue: 56876
//	dry-run: false
//
// Here these say:
//
//   - source-org, source-repo and github-host: the source is
//     https://HOST/ORG/REPO.git. The host is github.com unless said otherwise.
//   - target-org: mirrors are at https://HOST/ORG/DESTINATION.git.
//   - rules-file: the rules, a file or a URL.
//   - token-file: the token for mirrors and for the issue.
//   - github-issue: the number of the issue of source-repo in target-org to which
//     failures are reported.
//   - dry-run: when true, nothing is pushed. The bot reads dryrun, which is
//     understood too.
//   - interval, in seconds, and server-port, which the bot has as flags alone.
//
// What has no meaning here is a warning: base-package, as the go.mod files say which
// modules are published; base-publish-script-path, as nothing is run; and
// git-default-branch, as the rules name all branches.
package botconfig

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is what a file says, in our terms. What it leaves out is zero.
type Config struct {
	// Source is the source's URL, and Remote the template for those of mirrors.
	Source, Remote string
	// Server is the URL below which all mirrors are.
	Server string
	// Rules is a file or a URL.
	Rules     string
	TokenFile string
	// Issue is where failures are reported: HOST/OWNER/REPO#NUMBER.
	Issue    string
	DryRun   bool
	Interval time.Duration
	// Listen is the address for requests.
	Listen string
	// Warnings are about keys that have no meaning here, in the order of the file.
	Warnings []string
}

// without are the keys that have no meaning here, with the reason.
var without = map[string]string{
	"base-package":             "the go.mod files in the source say what the modules are called",
	"base-publish-script-path": "no scripts of the source are run",
	"git-default-branch":       "the rules name all branches",
	"token":                    "a token belongs in a file that token-file names",
}

// known are the keys that have a meaning.
var known = map[string]bool{
	"github-host": true, "source-org": true, "source-repo": true, "target-org": true, "rules-file": true, "token-file": true,
	"dry-run": true, "dryrun": true, "github-issue": true, "interval": true, "server-port": true,
}

// Load reads a file.
func Load(file string) (*Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("load the configuration: %w", err)
	}
	c, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("load the configuration %s: %w", file, err)
	}
	return c, nil
}

// file is a configuration as it is written.
type file struct {
	host, sourceOrg, sourceRepo, targetOrg, issue string
}

// Parse reads what a file says. The error is about all that is wrong with it.
func Parse(data []byte) (*Config, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is no YAML mapping such as \"source-org: kubernetes\"")
	}
	c := new(Config)
	f := file{host: "github.com"}
	var problems []error
	pairs := document.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := pairs[i], pairs[i+1]
		if err := c.set(&f, key, value); err != nil {
			problems = append(problems, fmt.Errorf("line %d: %s: %w", key.Line, key.Value, err))
		}
	}
	if len(problems) == 0 {
		problems = c.derive(f)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return c, nil
}

// name is what organizations, repositories and hosts are called.
var name = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$`)

func (c *Config) set(f *file, key, value *yaml.Node) error {
	named := func(to *string) error {
		if value.Value == "" {
			return nil // As if it were not there.
		}
		if !name.MatchString(value.Value) {
			return fmt.Errorf("%q is no name", value.Value)
		}
		*to = value.Value
		return nil
	}
	if value.Kind != yaml.ScalarNode && known[key.Value] {
		return errors.New("it is to be one word or number")
	}
	switch key.Value {
	case "github-host":
		return named(&f.host)
	case "source-org":
		return named(&f.sourceOrg)
	case "source-repo":
		return named(&f.sourceRepo)
	case "target-org":
		return named(&f.targetOrg)
	case "rules-file":
		c.Rules = value.Value
	case "token-file":
		c.TokenFile = value.Value
	case "dry-run", "dryrun":
		return value.Decode(&c.DryRun)
	case "github-issue":
		number := 0
		if err := value.Decode(&number); err != nil || number < 0 {
			return fmt.Errorf("%q is no issue's number", value.Value)
		}
		if number > 0 {
			f.issue = strconv.Itoa(number)
		}
	case "interval":
		var seconds uint32
		if err := value.Decode(&seconds); err != nil {
			return fmt.Errorf("%q is no number of seconds", value.Value)
		}
		c.Interval = time.Duration(seconds) * time.Second
	case "server-port":
		var port uint16
		if err := value.Decode(&port); err != nil {
			return fmt.Errorf("%q is no port", value.Value)
		}
		if port > 0 {
			c.Listen = fmt.Sprintf(":%d", port)
		}
	default:
		why, told := without[key.Value]
		if !told {
			why = "nobody knows it"
		}
		c.Warnings = append(c.Warnings, fmt.Sprintf("line %d: %s has no effect: %s", key.Line, key.Value, why))
	}
	return nil
}

func (c *Config) derive(f file) (problems []error) {
	for _, required := range []struct{ key, value string }{
		{"source-org", f.sourceOrg}, {"source-repo", f.sourceRepo}, {"target-org", f.targetOrg}, {"rules-file", c.Rules},
	} {
		if required.value == "" {
			problems = append(problems, fmt.Errorf("%s is missing", required.key))
		}
	}
	at := func(parts ...string) string {
		u := url.URL{Scheme: "https", Host: f.host, Path: "/" + strings.Join(parts, "/")}
		return u.String()
	}
	c.Source = at(f.sourceOrg, f.sourceRepo+".git")
	c.Server = at(f.targetOrg)
	c.Remote = c.Server + "/{{.Destination}}.git"
	if f.issue != "" {
		c.Issue = fmt.Sprintf("%s/%s/%s#%s", f.host, f.targetOrg, f.sourceRepo, f.issue)
	}
	return problems
}
