// Package exec gets credentials from credential plugins: programs that a
// kubeconfig names under "exec", and that print a token or a client
// certificate.
//
// Programs do not call it: [k8s.io/client-go/rest] does, for a config with an
// ExecProvider. How to write a plugin is told in
// [k8s.io/client-go/pkg/apis/clientauthentication] and
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
//
// # When the plugin runs
//
// An [Authenticator] runs its plugin when the first request needs credentials,
// when those that it has are past their expiration timestamp, and after the
// server has refused them with 401 Unauthorized. The request that was refused
// is not sent again; the next one has new credentials.
//
// The plugin runs once at a time. Requests that need its answer wait for it,
// as long as their contexts last, and share it. A refusal of credentials that
// were replaced meanwhile does not count. If the plugin fails, those requests
// fail, unless the old credentials have not expired: they stay in use then.
//
// One configuration has one Authenticator, which all clients of the process
// share, so that users are asked for passwords once.
//
// # Certificates
//
// A TLS connection shows its certificate once, when it is made. So when the
// plugin returns another one, all connections made with the old one are closed.
//
// # Secrets
//
// What a plugin prints on its standard output appears in no error and no log.
// Its standard error goes to that of this process.
package exec
