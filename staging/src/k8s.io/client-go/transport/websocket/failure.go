package websocket

//lint:file-ignore SA1019 Programs have these types in their signatures.

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apihttpstream "k8s.io/apimachinery/pkg/util/httpstream"
	streamhttp "k8s.io/streaming/pkg/httpstream"
)

// maxAnswer is how much is read of the answer of a server that refuses.
const maxAnswer = 64 * 1024

// upgradeFailed returns an error that both packages of stream types take for
// their own, and that wraps cause.
func upgradeFailed(cause error) error {
	return &upgradeFailure{&streamhttp.UpgradeFailureError{Cause: cause}}
}

type upgradeFailure struct {
	*streamhttp.UpgradeFailureError
}

func (e *upgradeFailure) Unwrap() []error {
	return []error{
		e.UpgradeFailureError,
		&apihttpstream.UpgradeFailureError{Cause: e.Cause},
		e.Cause,
	}
}

// refusal returns what a server said that did not upgrade.
func refusal(handshake error, resp *http.Response) error {
	if resp == nil {
		return handshake
	}
	defer resp.Body.Close()
	// What was read before an error is better than nothing.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if status := asStatus(body); status != nil {
		return &apierrors.StatusError{ErrStatus: *status}
	}
	said := handshake
	if resp.Status != "" {
		said = fmt.Errorf("%w (%s)", handshake, resp.Status)
	}
	if text := strings.TrimSpace(string(body)); text != "" {
		said = fmt.Errorf("%w: %s", said, text)
	}
	return said
}

// asStatus returns the Status in body, or nil if there is none.
func asStatus(body []byte) *metav1.Status {
	var status metav1.Status
	if json.Unmarshal(body, &status) != nil || status.Kind != "Status" || status.APIVersion != "v1" {
		return nil
	}
	return &status
}
