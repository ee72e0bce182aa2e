// Package hosts runs what docs/serving.md says of web servers and buckets: it takes the
// configurations and commands out of the text, puts in a folder, a port and a certificate,
// and has nginx, Caddy, an S3 server and publisher serve each serve a site that publisher
// site has written. Then it asks for every file, and looks at the answers' headers as the
// tables say; and the go command and git get from there what they get from a mirror.
//
// nginx, caddy and awscli are packages of Debian. make e2e-site runs the tests.
package hosts
