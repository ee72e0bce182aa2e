// Package pages looks at the site's pages with a real browser: each of them, in light
// and dark, on a phone and on a desktop, by keyboard alone, without JavaScript, and
// with axe-core, which knows the rules for accessibility that a program can check.
//
// Chromium and axe-core come from outside: make e2e-site brings the second and runs
// the tests. SCREENSHOTS=DIR keeps a picture of each page.
package pages
