// Package gentype has the clients of the public package of this name, without
// its fakes: those link what a test needs, and each typed client links this.
package gentype
