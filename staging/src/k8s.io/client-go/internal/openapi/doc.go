// Package openapi has the client of the public package of this name, without the
// conversion of types: that links what server-side apply works with, and
// package discovery links this.
package openapi
