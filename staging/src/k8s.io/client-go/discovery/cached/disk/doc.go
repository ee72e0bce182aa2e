// Package disk keeps on disk what a server says about its groups and
// resources, for programs that run often and not for long.
//
// There are two caches, each in a directory of its own:
//
//   - The discovery cache holds the lists themselves, as JSON. While a file is
//     younger than the time to live the server is not asked. What a client keeps in
//     memory besides lives no longer.
//   - The HTTP cache is for what has to be asked. It holds responses that the
//     server marked with an ETag or a time of expiry, so that the server can
//     say "not modified" instead of sending the same megabytes again.
//
// Directories are made as needed, for the user and the group to enter; files
// are for the user alone. The files of one cache serve any number of processes
// at the same time: each file is written under another name first and appears
// as a whole. A file that cannot be read or understood is fetched and written
// anew. A cache that cannot be written does no harm but to speed.
//
// Give each server directories of its own: the discovery cache does not know
// which server it is about.
package disk
