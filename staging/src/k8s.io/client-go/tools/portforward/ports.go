package portforward

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// A ForwardedPort is a port of this machine, and the port of the pod that it stands
// for.
type ForwardedPort struct {
	Local  uint16
	Remote uint16
}

// parsePorts understands local:remote, one number for both, and :remote for any port
// of this machine that is free.
func parsePorts(ports []string) ([]ForwardedPort, error) {
	if len(ports) == 0 {
		return nil, errors.New("you must specify at least 1 port")
	}
	var forwards []ForwardedPort
	for _, text := range ports {
		local, remote, both := strings.Cut(text, ":")
		if !both {
			remote = local
		}
		if strings.Contains(remote, ":") {
			return nil, fmt.Errorf("invalid port format %q", text)
		}
		if local == "" && both {
			local = "0"
		}
		localPort, err := strconv.ParseUint(local, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("error parsing local port %q: %w", local, err)
		}
		remotePort, err := strconv.ParseUint(remote, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("error parsing remote port %q: %w", remote, err)
		}
		if remotePort == 0 {
			return nil, fmt.Errorf("remote port must be > 0 in %q", text)
		}
		forwards = append(forwards, ForwardedPort{Local: uint16(localPort), Remote: uint16(remotePort)})
	}
	return forwards, nil
}

// An address to listen on.
type address struct {
	network string // tcp4 or tcp6
	host    string
	// needed is false for those that only localhost stands for: a machine may have
	// one of them alone.
	needed bool
}

func parseAddresses(texts []string) ([]address, error) {
	if len(texts) == 0 {
		return nil, errors.New("you must specify at least 1 address")
	}
	var addresses []address
	add := func(host string, needed bool) {
		a := address{network: "tcp6", host: host, needed: needed}
		if net.ParseIP(host).To4() != nil {
			a.network = "tcp4"
		}
		i := slices.IndexFunc(addresses, func(known address) bool { return known.host == host })
		if i < 0 {
			addresses = append(addresses, a)
			return
		}
		addresses[i].needed = addresses[i].needed || needed
	}
	for _, text := range texts {
		switch {
		case text == "localhost":
			add("127.0.0.1", false)
			add("::1", false)
		case net.ParseIP(text) != nil:
			add(net.ParseIP(text).String(), true)
		default:
			return nil, fmt.Errorf("%s is not a valid IP", text)
		}
	}
	return addresses, nil
}
