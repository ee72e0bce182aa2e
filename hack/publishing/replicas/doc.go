// Package replicas tests publishers that run as replicas: real processes with leader
// election on a real control plane, which push to real git servers over https and ssh.
package replicas
