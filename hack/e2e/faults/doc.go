// Package faults puts what goes wrong in networks between a client and a server:
// [TCP] breaks connections without looking into them, [HTTP] answers in the
// server's place, late or half. Both count what passes, so that a test can tell
// that nothing was left open.
//
// Everything is triggered by the test, nothing by chance or by a clock of its own,
// and both listen on loopback only.
package faults
