// Package remotecommand runs commands in containers, as kubectl exec and kubectl
// attach do, with their input, output and terminal.
//
//	request := client.CoreV1().RESTClient().Post().Resource("pods").Namespace("default").Name("web").
//		SubResource("exec").VersionedParams(&corev1.PodExecOptions{
//			Command: []string{"cat"}, Stdin: true, Stdout: true, Stderr: true,
//		}, scheme.ParameterCodec)
//	websocket, err := remotecommand.NewWebSocketExecutor(config, "GET", request.URL().String())
//	…
//	spdy, err := remotecommand.NewSPDYExecutor(config, "POST", request.URL())
//	…
//	executor, err := remotecommand.NewFallbackExecutor(websocket, spdy, httpstream.IsUpgradeFailure)
//	…
//	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
//
// The parameters of the URL say which streams there are; those in [StreamOptions] must
// be the same ones.
//
// # Connections
//
// There are two ways to carry streams in one connection: WebSocket, where each message
// begins with the number of its stream, and SPDY, which older servers have. An executor
// for WebSocket asks for version 5 of the protocol alone, since older ones have no way
// to say that the input has ended; a server that does not know it refuses, and a
// [FallbackExecutor] then takes SPDY.
//
// # Protocols
//
// Within a connection there is a protocol of streams, the newest that both sides know:
//
//	version  name              on top of the one before
//	1        channel.k8s.io    standard input, output and error, and a stream for errors
//	2        v2.channel.k8s.io the end of the input is passed on
//	3        v3.channel.k8s.io sizes of the terminal
//	4        v4.channel.k8s.io errors are a Status, which has the exit code
//	5        v5.channel.k8s.io streams can be closed one by one in WebSocket, too
//
// A command that ends with a code other than 0 gives an error that is an ExitError of
// package util/exec.
package remotecommand
