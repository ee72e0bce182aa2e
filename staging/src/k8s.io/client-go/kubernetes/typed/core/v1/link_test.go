package v1_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A program that imports one client links what that client needs, and no other
// group of the API. What is imported is registered at start-up, so a test on
// imports will do.
func TestClientsLinkNoGroupsButTheirOwn(t *testing.T) {
	for client, groups := range map[string][]string{
		"k8s.io/client-go/kubernetes/typed/core/v1": {
			"k8s.io/api/core/v1",
			// Sub-resources of pods, replication controllers and service accounts.
			"k8s.io/api/policy/v1",
			"k8s.io/api/policy/v1beta1",
			"k8s.io/api/autoscaling/v1",
			"k8s.io/api/authentication/v1",
		},
		"k8s.io/client-go/tools/leaderelection/elector": {
			"k8s.io/api/coordination/v1",
			"k8s.io/api/core/v1", // named by resourcelock.New
			"k8s.io/api/policy/v1",
			"k8s.io/api/policy/v1beta1",
			"k8s.io/api/autoscaling/v1",
			"k8s.io/api/authentication/v1",
		},
		"k8s.io/client-go/dynamic": nil,
		"k8s.io/client-go/rest":    nil,
		"k8s.io/client-go/tools/record": {
			"k8s.io/api/core/v1",
		},
	} {
		t.Run(client, func(t *testing.T) {
			for _, dependency := range dependencies(t, client) {
				name := dependency.ImportPath
				if strings.HasPrefix(name, "k8s.io/api/") && !slices.Contains(groups, name) {
					t.Errorf("%s is linked, by %s", name, importers(t, client, name))
				}
				switch name {
				case "k8s.io/client-go/kubernetes/scheme":
					t.Errorf("%s, and so every group, is linked", name)
				case "text/template", "html/template":
					// They call methods by name, for which the linker keeps all methods.
					t.Errorf("%s is linked, by %s", name, importers(t, client, name))
				}
				if strings.HasPrefix(name, "k8s.io/client-go/") && slices.Contains(dependency.Imports, "golang.org/x/net/http2") {
					t.Errorf("%s imports golang.org/x/net/http2, which net/http has inside", name)
				}
			}
		})
	}
}

// Of a package that only some callers need all of, clients link what is in an
// internal one; the public one has aliases of that, and the rest.
func TestClientsLinkNothingThatOnlySomeCallersNeed(t *testing.T) {
	const (
		fakes     = "k8s.io/client-go/testing"
		discovery = "k8s.io/client-go/discovery"
		openAPI   = "github.com/google/gnostic-models/openapiv2"
		merging   = "k8s.io/apimachinery/pkg/util/managedfields"
	)
	for client, unneeded := range map[string][]string{
		"k8s.io/client-go/kubernetes/typed/core/v1": {fakes, discovery, openAPI, merging},
		"k8s.io/client-go/dynamic":                  {fakes, discovery, openAPI, merging},
		"k8s.io/client-go/rest":                     {fakes, discovery, openAPI, merging},
		"k8s.io/client-go/tools/record":             {fakes, discovery, openAPI, merging},
		// A clientset has a discovery client, which tells OpenAPI schemas.
		"k8s.io/client-go/kubernetes": {fakes, merging},
	} {
		for _, dependency := range dependencies(t, client) {
			if slices.Contains(unneeded, dependency.ImportPath) {
				t.Errorf("%s links %s, by %s", client, dependency.ImportPath, importers(t, client, dependency.ImportPath))
			}
		}
	}
}

type dependency struct {
	ImportPath string
	Imports    []string
}

// dependencies returns a package and all that it imports, directly or not.
func dependencies(t *testing.T, pkg string) []dependency {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", pkg)
	// What a consumer links is told by this module, not by a workspace.
	list.Env = append(os.Environ(), "GOWORK=off")
	out, err := list.Output()
	if err != nil {
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			t.Logf("%s", exit.Stderr)
		}
		t.Fatalf("listing the dependencies of %s: %v", pkg, err)
	}
	var all []dependency
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var d dependency
		if err := decoder.Decode(&d); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
}

// importers returns which dependencies of a client import a package.
func importers(t *testing.T, client, pkg string) []string {
	t.Helper()
	var names []string
	for _, d := range dependencies(t, client) {
		if slices.Contains(d.Imports, pkg) {
			names = append(names, d.ImportPath)
		}
	}
	return names
}
