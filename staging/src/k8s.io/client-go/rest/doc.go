// Package rest talks HTTP to Kubernetes API servers. Typed and dynamic clients are built
// on it; programs seldom need more of it than a [Config].
//
// A [Config] says where a server is, who the client is, and how fast it may go. It comes
// from [InClusterConfig] in a pod, from package tools/clientcmd for people, or is filled in by hand:
//
//	config := &rest.Config{Host: "https://10.0.0.1:6443", BearerTokenFile: "/run/token"}
//	clientset, err := kubernetes.NewForConfig(config)
//
// A Config is copied by [CopyConfig] before it is changed. Printing it shows no secrets.
//
// # Requests
//
// A [RESTClient] makes a [Request] for a verb. Its methods add what it is about, and one of
// Do, DoRaw, Stream and Watch sends it:
//
//	pod := &corev1.Pod{}
//	err := client.Get().Namespace("default").Resource("pods").Name("web").Do(ctx).Into(pod)
//
// A list that may be large is better read with DoInto than with Do: it is then never in
// memory as it is encoded. Typed and dynamic clients do so.
//
// Mistakes in building a request, such as a name with a slash in it, are kept and
// returned when it is sent. A Request is for one goroutine, a RESTClient for any number of them.
//
// # Errors
//
// If the server answered with an error, it is a *errors.StatusError of apimachinery: use the
// functions of that package, such as errors.IsNotFound, to tell what it is. This holds also for
// answers that are no API objects, as load balancers send them. Errors of the connection are those
// of [net/http], and the end of the context is found by errors.Is.
//
// # Retries
//
// A request is sent again, up to 10 times or as MaxRetries says, where the server answers 429 or 5xx
// with a Retry-After header, in seconds; a GET also where the connection was lost before there was an
// answer. A body that is an io.Reader can be sent again only if it can seek.
//
// # Rate limits
//
// A client waits for its own rate limiter before it sends: 5 requests a second and
// bursts of 10, unless the Config says otherwise. Watches do not wait. Long waits are logged.
//
// # The way of a request
//
// Each step has a file, here in the order in which a request meets them:
//
//	config.go     a Config: server, user and limits; its source in a pod, copies of it
//	client.go     a RESTClient from it
//	  transport.go  connections that authenticate: plugins of the process, and commands
//	  content.go    the formats that it speaks
//	request.go    a Request from its verb, resource, name and so on
//	  url.go        its path and query
//	  body.go       its body
//	send.go       Do, DoRaw, Stream and Watch
//	  retry.go      whether there is to be another attempt
//	  throttle.go   how long each attempt waits: rate limiter, and failing servers
//	result.go     the answer read, decoded, or made an error
//	  stream.go     a list decoded while it comes in
//	  warnings.go   what the server warns of
//	watch.go      the answer as a stream of events
//
// Of all of them, observe.go reports to package metrics and to the log, and config_print.go
// prints a Config.
package rest
