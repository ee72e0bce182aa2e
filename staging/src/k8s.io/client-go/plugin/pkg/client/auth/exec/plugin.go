package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"sync"

	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/tools/clientcmd/api"
)

const documentation = "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"

// terminal is held by the one plugin that may ask the user something.
var terminal sync.Mutex

// plugin is a program, and how to run it.
type plugin struct {
	config  *api.ExecConfig
	version schema.GroupVersion
	cluster *clientauthentication.Cluster // nil if the plugin is not to know it

	isTerminal func() bool // whether standard input is one
}

func newPlugin(config *api.ExecConfig, version schema.GroupVersion) plugin {
	return plugin{
		config:     config,
		version:    version,
		isTerminal: func() bool { return term.IsTerminal(int(os.Stdin.Fd())) },
	}
}

// run runs the plugin and returns the credentials that it prints.
func (p *plugin) run() (*credentials, error) {
	interactive, err := p.interactive()
	if err != nil {
		return nil, fmt.Errorf("exec plugin cannot support interactive mode: %w", err)
	}
	info, err := encodeInfo(p.version, interactive, p.cluster)
	if err != nil {
		return nil, fmt.Errorf("exec plugin: encoding %s: %w", infoVariable, err)
	}
	path, err := checkPolicy(&p.config.PluginPolicy, p.config.Command)
	if err != nil {
		return nil, err
	}

	var stdout bytes.Buffer
	cmd := exec.Command(path, p.config.Args...)
	cmd.Args[0] = p.config.Command
	cmd.Env = p.environment(info)
	cmd.Stdout = &stdout
	cmd.Stderr = os.Stderr
	if interactive {
		terminal.Lock()
		defer terminal.Unlock()
		cmd.Stdin = os.Stdin
	}
	err = cmd.Run()
	countCall(err)
	if err != nil {
		return nil, p.explain(err)
	}
	return parseOutput(stdout.Bytes(), p.version)
}

// interactive reports whether the plugin gets our standard input. It fails if
// the plugin needs it and cannot have it.
func (p *plugin) interactive() (bool, error) {
	switch mode := p.config.InteractiveMode; mode {
	case api.NeverExecInteractiveMode:
		return false, nil
	case api.IfAvailableExecInteractiveMode:
		return !p.config.StdinUnavailable && p.isTerminal(), nil
	case api.AlwaysExecInteractiveMode:
		if !p.isTerminal() {
			return false, errors.New("standard input is not a terminal")
		}
		if p.config.StdinUnavailable {
			if why := p.config.StdinUnavailableMessage; why != "" {
				return false, fmt.Errorf("standard input is unavailable: %s", why)
			}
			return false, errors.New("standard input is unavailable")
		}
		return true, nil
	default:
		return false, fmt.Errorf("unknown interactiveMode: %q", mode)
	}
}

// environment returns ours, then what the config sets, then what the protocol
// does. Of two settings of one variable the later one counts.
func (p *plugin) environment(info []byte) []string {
	env := os.Environ()
	for _, set := range p.config.Env {
		env = append(env, set.Name+"="+set.Value)
	}
	return append(env, infoVariable+"="+string(info))
}

// explain says why the program did not succeed, and what to do if it could not
// be found.
func (p *plugin) explain(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &runError{fmt.Sprintf("exec: executable %s failed with exit code %d", p.config.Command, exit.ExitCode()), err}
	}
	if !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) {
		if _, ok := errors.AsType[*exec.Error](err); ok { // begins with exec: already
			return err
		}
		return fmt.Errorf("exec: %w", err)
	}
	text := "exec: executable " + p.config.Command + " not found\n\n" +
		"The kubeconfig names this program as a credential plugin, but it is not installed,\n" +
		"or not in a directory of PATH. Credential plugins are explained at\n" + documentation
	if hint := p.config.InstallHint; hint != "" {
		text += "\n\n" + hint
	}
	return &runError{text, err}
}

// runError is a text for users around an error for programs.
type runError struct {
	text string
	err  error
}

func (e *runError) Error() string { return e.text }
func (e *runError) Unwrap() error { return e.err }
