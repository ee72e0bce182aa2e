// Package bench has benchmarks of what clients do often. They use nothing but the
// public API, so that they build against either module.
package bench
