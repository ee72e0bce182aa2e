package v1

import (
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
)

// ServiceExpansion has the methods of services that go through the server's proxy.
type ServiceExpansion interface {
	// ProxyGet returns a GET of a path below a port of the service, sent through
	// the server to one of its endpoints. Scheme and port may be empty, for the
	// service's default.
	ProxyGet(scheme, name, port, path string, params map[string]string) rest.ResponseWrapper
}

func (c *services) ProxyGet(scheme, name, port, path string, params map[string]string) rest.ResponseWrapper {
	return proxyGet(c.GetClient(), c.GetNamespace(), "services", utilnet.JoinSchemeNamePort(scheme, name, port), path, params)
}
