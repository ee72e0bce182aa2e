// Package dirsync keeps a target directory equal to a source directory.
//
// It can be used in two layers. [Dirs] compares the two directories and
// settles one path at a time; it holds no state and starts no goroutines.
// [Controller] does so over and over, with several workers, and tries again
// what failed.
//
// Equal means: the same paths, of the same types, with the same permissions,
// file contents and symbolic link texts. Directories remain accessible to
// their owner, whatever their permissions are in the source. Owners, hard links
// and extended attributes are not looked at, and neither are the permissions of
// the two directories themselves. Named pipes, sockets and devices are not
// supported.
//
// Two files of the same size and modification time are taken to be equal without
// being read, unless they were changed so recently that another change may have
// left no mark on the time.
//
// The name .dirsync at the top of either directory is reserved: files are
// written there and then moved into place, so that nobody sees half a file.
package dirsync
