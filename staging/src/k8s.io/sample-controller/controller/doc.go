// Package controller publishes pages: for each Page there is a ConfigMap of the same
// name that has it as HTML.
//
// It reads as most controllers do. Informers keep pages and ConfigMaps in memory, and
// put the name of a page into a queue whenever something has changed that concerns it
// (see New). Workers take names from the queue, compare what is with what should be, and
// write the difference (see reconcile). Nothing is remembered in between, so it does not
// matter how often a name is worked on, or whether the program was restarted.
package controller
