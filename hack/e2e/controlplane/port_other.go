//go:build !linux

package controlplane

import (
	"fmt"
	"net"
)

// reservePort finds a port that is free, and holds nothing.
func reservePort() (*reservation, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port on loopback: %w", err)
	}
	defer l.Close()
	return &reservation{port: l.Addr().(*net.TCPAddr).Port}, nil
}
