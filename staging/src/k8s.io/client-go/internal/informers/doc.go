// Package informers has what the informer factories are made of: those of the
// built-in kinds in package informers, and those of any resource in dynamicinformer
// and metadatainformer. It knows no kinds, so that the latter do not link them all.
package informers
