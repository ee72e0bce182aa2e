package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxDiscovery is more than any discovery document needs.
const maxDiscovery = 1 << 20

// tokenEndpoint asks an issuer where tokens are got, as in
// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig.
func (p *provider) tokenEndpoint(ctx context.Context, issuer string) (string, error) {
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fmt.Errorf("the issuer's URL: %w", err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("discovering the token endpoint: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDiscovery))
	if err != nil {
		return "", fmt.Errorf("reading the discovery document of %s: %w", req.URL.Redacted(), err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s: is %s right?", req.URL.Redacted(), resp.Status, keyIssuerURL)
	}
	var document struct {
		TokenEndpoint string `json:"token_endpoint"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return "", fmt.Errorf("decoding the discovery document of %s: %w", req.URL.Redacted(), err)
	}
	if document.TokenEndpoint == "" {
		return "", errors.New("the issuer's discovery document has no token_endpoint")
	}
	return document.TokenEndpoint, nil
}
