package exec

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/connrotation"
	"k8s.io/klog/v2"
)

// UpdateTransportConfig makes transports built from c use the plugin's
// credentials: the token in every request that has no Authorization header,
// and the certificate in every connection.
//
// A config with credentials of its own is left alone, and the plugin never
// runs for it: somebody who gives a token on the command line means that one.
//
// It fails if c has a certificate callback already, or a DialHolder without a
// function.
func (a *Authenticator) UpdateTransportConfig(c *transport.Config) error {
	if c.HasTokenAuth() || c.HasBasicAuth() || c.HasCertAuth() {
		return nil
	}
	if c.HasCertCallback() {
		return errors.New("can't add TLS certificate callback: transport.Config.TLS.GetCert already set")
	}
	dial := a.dial
	if c.DialHolder != nil {
		if c.DialHolder.Dial == nil {
			return errors.New("invalid transport.Config.DialHolder: wrapped Dial function is nil")
		}
		dial = &transport.DialHolder{Dial: connrotation.NewDialerWithTracker(c.DialHolder.Dial, a.tracker).DialContext}
	}

	c.DialHolder = dial
	c.TLS.GetCertHolder = a.cert
	c.Wrap(func(base http.RoundTripper) http.RoundTripper { return &roundTripper{a, base} })
	return nil
}

// roundTripper puts tokens into requests.
type roundTripper struct {
	auth *Authenticator
	base http.RoundTripper
}

// WrappedRoundTripper returns the next one, for those who look for the
// transport at the bottom.
func (r *roundTripper) WrappedRoundTripper() http.RoundTripper { return r.base }

func (r *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("Authorization") != "" {
		return r.base.RoundTrip(req)
	}
	ctx := req.Context()
	creds, err := r.auth.credentials(ctx)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, fmt.Errorf("getting credentials: %w", err)
	}
	if creds.authorization != nil {
		req = withAuthorization(req, creds.authorization)
	}

	resp, err := r.base.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		if err := r.auth.refused(ctx, creds); err != nil {
			klog.FromContext(ctx).Error(err, "The server refused the credentials of the exec plugin, and getting new ones failed")
		}
	}
	return resp, err
}

// withAuthorization returns a copy of req with a header more: the caller's
// request is not ours to change. The copy shares the values of the others, so
// they have no room to append to.
func withAuthorization(req *http.Request, authorization []string) *http.Request {
	header := make(http.Header, len(req.Header)+1)
	for name, values := range req.Header {
		header[name] = slices.Clip(values)
	}
	header["Authorization"] = authorization
	authorized := *req
	authorized.Header = header
	return &authorized
}
