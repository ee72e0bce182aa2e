// Package portforward forwards ports of this machine to ports of a pod, as kubectl
// port-forward does.
//
//	request := client.CoreV1().RESTClient().Post().Resource("pods").Namespace("default").Name("web").SubResource("portforward")
//	tunnel, err := portforward.NewSPDYOverWebsocketDialer(request.URL(), config)
//	…
//	transport, upgrader, err := spdy.RoundTripperFor(config)
//	…
//	plain := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, "POST", request.URL())
//	dialer := portforward.NewFallbackDialer(tunnel, plain, httpstream.IsUpgradeFailure)
//	forwarder, err := portforward.New(dialer, []string{"8080:80"}, stop, ready, os.Stdout, os.Stderr)
//	…
//	err = forwarder.ForwardPorts() // returns when stop is closed
//
// # Connections and streams
//
// There is one connection to the pod, which speaks SPDY. An API server carries it as the
// content of a WebSocket connection, in a tunnel, which proxies understand better; for
// older servers there is plain SPDY.
//
// Each connection that a program makes to a forwarded port becomes two streams: one for
// data, and one by which the node tells what went wrong with this one.
//
// The types of connections are in k8s.io/apimachinery/pkg/util/httpstream and, the same
// ones again, in k8s.io/streaming/pkg/httpstream. Functions with Streaming in their
// names are for the latter.
package portforward
