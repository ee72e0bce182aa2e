package botconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"k8s.io/publisher/botconfig"
)

func TestConfig(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want botconfig.Config
	}{
		"the least": {
			"source-org: kubernetes\nsource-repo: kubernetes\ntarget-org: kube-mirrors\nrules-file: https://raw.example.com/rules.yaml\n",
			botconfig.Config{
				Source: "https://github.com/kubernetes/kubernetes.git",
				Server: "https://github.com/kube-mirrors",
				Remote: "https://github.com/kube-mirrors/{{.Destination}}.git",
				Rules:  "https://raw.example.com/rules.yaml",
			},
		},
		"all that has a meaning": {
			`# A comment
github-host: git.example.com:8443
source-org: org
source-repo: mono.repo
target-org: mirrors
rules-file: /etc/publisher-rules/config
token-file: /etc/secret-volume/token
github-issue: 56876
dry-run: true
interval: 14400
server-port: 8080
`,
			botconfig.Config{
				Source:    "https://git.example.com:8443/org/mono.repo.git",
				Server:    "https://git.example.com:8443/mirrors",
				Remote:    "https://git.example.com:8443/mirrors/{{.Destination}}.git",
				Rules:     "/etc/publisher-rules/config",
				TokenFile: "/etc/secret-volume/token",
				Issue:     "git.example.com:8443/mirrors/mono.repo#56876",
				DryRun:    true, Interval: 4 * time.Hour, Listen: ":8080",
			},
		},
		"what has no meaning": {
			`source-org: a
source-repo: b
target-org: c
rules-file: d
base-package: k8s.io
base-publish-script-path: ./publish_scripts
git-default-branch: main
token: xyz
colour: {is: blue}
dryrun: false
github-host: ""
github-issue: 0
server-port: 0
interval: 0
`,
			botconfig.Config{
				Source: "https://github.com/a/b.git", Server: "https://github.com/c", Remote: "https://github.com/c/{{.Destination}}.git", Rules: "d",
				Warnings: []string{
					"line 5: base-package has no effect: the go.mod files in the source say what the modules are called",
					"line 6: base-publish-script-path has no effect: no scripts of the source are run",
					"line 7: git-default-branch has no effect: the rules name all branches",
					"line 8: token has no effect: a token belongs in a file that token-file names",
					"line 9: colour has no effect: nobody knows it",
				},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := botconfig.Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrongConfigSaysAllThatIsWrong(t *testing.T) {
	for text, want := range map[string][]string{
		"":            {"no YAML mapping"},
		"- a\n":       {"no YAML mapping"},
		"a: [\n":      {"yaml"},
		"dryrun: 1\n": {"line 1: dryrun"},
		"{}\n":        {"source-org is missing", "source-repo is missing", "target-org is missing", "rules-file is missing"},
		"source-org: a/b\nsource-repo: ../x\ntarget-org: user@host\ngithub-host: [x]\ngithub-issue: x\ninterval: -1\nserver-port: 70000\ndry-run: maybe\n": {
			`line 1: source-org: "a/b" is no name`, `line 2: source-repo: "../x" is no name`, `line 3: target-org: "user@host" is no name`,
			"line 4: github-host: it is to be one word", `line 5: github-issue: "x" is no issue's number`, `line 6: interval: "-1" is no number of seconds`,
			`line 7: server-port: "70000" is no port`, "line 8: dry-run",
		},
	} {
		_, err := botconfig.Parse([]byte(text))
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q: the error does not say %q:\n%v", text, part, err)
			}
		}
	}
}

func TestSecretInAConfigIsNotRepeated(t *testing.T) {
	c, err := botconfig.Parse([]byte("source-org: a\nsource-repo: b\ntarget-org: c\nrules-file: d\ntoken: sesame\n"))
	if err != nil || strings.Contains(strings.Join(c.Warnings, "\n"), "sesame") {
		t.Errorf("%v, %v", c, err)
	}
}

func TestFileIsNamedInErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if _, err := botconfig.Load(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("without a file: %v", err)
	}
	if err := os.WriteFile(file, []byte("x: y"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := botconfig.Load(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("of an invalid one: %v", err)
	}
}
