package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
)

// install installs the publisher from the site, as a user would, and has it tell what it
// was built from: that must be what the checksum database says.
func install(ctx context.Context, scratch string, env []string, database string, s *site) error {
	// It needs the client library of the same release.
	env, err := download(ctx, scratch, env, database, []string{"k8s.io/client-go", tool})
	if err != nil {
		return err
	}
	step("go install %s@%s", tool, version)
	bin := filepath.Join(scratch, "bin")
	// Paths differ from demo to demo, and must not get into the build cache.
	if err := show(ctx, scratch, append(env, "GOBIN="+bin), "go", "install", "-trimpath", tool+"@"+version); err != nil {
		return err
	}
	installed := filepath.Join(bin, "publisher")
	step("publisher version")
	if err := show(ctx, scratch, nil, installed, "version"); err != nil {
		return err
	}

	told, err := output(ctx, scratch, nil, installed, "version", "-o", "json")
	if err != nil {
		return err
	}
	var is struct{ Version, Sum string }
	if err := json.Unmarshal([]byte(told), &is); err != nil {
		return fmt.Errorf("publisher version: %w", err)
	}
	logged, err := s.hash(ctx, tool)
	switch {
	case err != nil:
		return err
	case is.Version != version || is.Sum != logged:
		return fmt.Errorf("it is %s %s, and should be %s %s", is.Version, is.Sum, version, logged)
	}
	return nil
}
