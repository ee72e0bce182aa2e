// Package template compares and prints values in the way of templates, without
// the template language.
//
// Two values can be compared if they are of the same sort: numbers, strings or,
// for being equal only, booleans.
package template
