// Package testing has HTTP handlers and temporary files for tests of clients.
package testing
