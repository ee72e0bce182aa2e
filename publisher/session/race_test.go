//go:build race

package session_test

// Under the race detector, the publisher that is tested has it, too.
func init() { buildFlags = append(buildFlags, "-race") }
