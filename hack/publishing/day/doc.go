// Package day plays a publisher's day in a short time. Developers push to a source
// that a real git server has, which tells a real publisher by webhooks; the publisher
// pushes to real servers, over https and ssh; and the servers keep a journal of what
// arrived when. In the course of it release branches begin, versions are tagged, and
// one commit is bad, which a smoke test tells.
//
// At the end a table says how long everything took, and nothing may be missing or
// have moved: the publisher proves what is on the servers, a publication from nothing
// has the same hashes, and git and the go command use the mirrors as anyone would.
//
//	make day
package day
