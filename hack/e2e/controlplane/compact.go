package controlplane

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
)

// Compact makes etcd forget all past versions of all objects, at once, as happens
// every five minutes to what is older than that. A list that is continued from an
// older version fails from then on with the reason Expired.
func (cp *ControlPlane) Compact(ctx context.Context) error {
	var status struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	if err := cp.callEtcd(ctx, "/v3/maintenance/status", struct{}{}, &status); err != nil {
		return err
	}
	compact := map[string]any{"revision": status.Header.Revision, "physical": true}
	return cp.callEtcd(ctx, "/v3/kv/compaction", compact, &struct{}{})
}

// callEtcd calls etcd through its JSON gateway.
func (cp *ControlPlane) callEtcd(ctx context.Context, path string, in, out any) error {
	pair, err := tls.LoadX509KeyPair(cp.path("etcd-client.crt"), cp.path("etcd-client.key"))
	if err != nil {
		return err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	code, answer, err := request(ctx, http.MethodPost, cp.etcdURL()+path, body, cp.etcdCA, pair)
	if err != nil {
		return fmt.Errorf("call etcd: %w", err)
	}
	if code != http.StatusOK {
		return fmt.Errorf("call etcd: %s: %d %s", path, code, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("call etcd: %s: %w", path, err)
	}
	return nil
}
