package controlplane

import (
	"fmt"
	"syscall"
)

// SO_REUSEPORT, which package syscall has for some architectures only.
const reusePort = 0xf

func reservePort() (*reservation, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("reserve a port on loopback: %w", err)
	}
	port, err := bindShared(fd)
	if err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("reserve a port on loopback: %w", err)
	}
	return &reservation{port: port, hold: func() { syscall.Close(fd) }}, nil
}

func bindShared(fd int) (port int, err error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, reusePort, 1); err != nil {
		return 0, err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	addr, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	return addr.(*syscall.SockaddrInet4).Port, nil
}
