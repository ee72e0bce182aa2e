package exec

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const head = `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",`

func TestOutputsThatAreAccepted(t *testing.T) {
	cert, key := newCertificate(t, "jane", time.Hour)
	pair, err := json.Marshal(map[string]string{"clientCertificateData": cert, "clientKeyData": key, "token": "abc"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		stdout, token, expiry string
		cert                  bool
	}{
		"a token":             {head + `"status":{"token":"abc"}}`, "Bearer abc", "0001-01-01T00:00:00Z", false},
		"space around it":     {" \n" + head + `"status":{"token":"abc"}}` + "\r\n", "Bearer abc", "0001-01-01T00:00:00Z", false},
		"an expiry":           {head + `"status":{"token":"abc","expirationTimestamp":"2030-01-02T03:04:05Z"}}`, "Bearer abc", "2030-01-02T03:04:05Z", false},
		"no expiry":           {head + `"status":{"token":"abc","expirationTimestamp":null}}`, "Bearer abc", "0001-01-01T00:00:00Z", false},
		"fields of tomorrow":  {head + `"status":{"token":"abc","mood":"good"},"x":[1]}`, "Bearer abc", "0001-01-01T00:00:00Z", false},
		"the question too":    {head + `"spec":{"interactive":true,"cluster":{"server":3}},"status":{"token":"abc"}}`, "Bearer abc", "0001-01-01T00:00:00Z", false},
		"YAML":                {"kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\nstatus:\n  token: abc\n", "Bearer abc", "0001-01-01T00:00:00Z", false},
		"no kind":             {`{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"abc"}}`, "Bearer abc", "0001-01-01T00:00:00Z", false},
		"no kind, as YAML":    {"apiVersion: client.authentication.k8s.io/v1\nstatus:\n  token: abc\n", "Bearer abc", "0001-01-01T00:00:00Z", false},
		"an empty kind":       {`{"kind":"","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"abc"}}`, "Bearer abc", "0001-01-01T00:00:00Z", false},
		"a certificate, also": {head + `"status":` + string(pair) + `}`, "Bearer abc", "0001-01-01T00:00:00Z", true},
	} {
		creds, err := parseOutput([]byte(c.stdout), v1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := creds.authorization[0]; got != c.token {
			t.Errorf("%s: token %q", name, got)
		}
		if got := creds.expiry.UTC().Format(time.RFC3339); got != c.expiry {
			t.Errorf("%s: expiry %s", name, got)
		}
		if (creds.cert != nil) != c.cert {
			t.Errorf("%s: certificate %v", name, creds.cert)
		}
	}
}

func TestOutputsThatAreRefusedWithoutTellingThem(t *testing.T) {
	cert, _ := newCertificate(t, "jane", time.Hour)
	_, otherKey := newCertificate(t, "joe", time.Hour)
	mixed, err := json.Marshal(map[string]string{"clientCertificateData": cert, "clientKeyData": otherKey})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ stdout, want string }{
		"nothing":      {" \n", "printed nothing"},
		"text":         {"HUNTER2", "not a JSON object"},
		"a list":       {`["HUNTER2"]`, "not a JSON object"},
		"bad YAML":     {"token: *HUNTER2", "not a JSON object"},
		"cut off":      {head + `"status":{"token":"HUNTER2`, "unexpected end of JSON input"},
		"two objects":  {head + `"status":{"token":"HUNTER2"}}{}`, "after top-level value"},
		"another kind": {`{"kind":"Pod","apiVersion":"v1","token":"HUNTER2"}`, `kind "Pod" and apiVersion "v1", not an ExecCredential of client.authentication.k8s.io/v1`},
		"no version":   {`{"kind":"ExecCredential","status":{"token":"HUNTER2"}}`, "plugin returned version "},
		"neither":      {`{"status":{"token":"HUNTER2"}}`, "plugin returned version "},
		"another version": {strings.Replace(head, "v1", "v1beta1", 1) + `"status":{"token":"HUNTER2"}}`,
			"configured to use API version client.authentication.k8s.io/v1, plugin returned version client.authentication.k8s.io/v1beta1"},
		"another group": {`{"kind":"ExecCredential","apiVersion":"v1","status":{"token":"HUNTER2"}}`, "plugin returned version v1"},
		"no status":     {head + `"token":"HUNTER2"}`, "exec plugin didn't return a status field"},
		"null status":   {head + `"status":null,"token":"HUNTER2"}`, "exec plugin didn't return a status field"},
		"empty status":  {head + `"status":{}}`, "exec plugin didn't return a token or cert/key pair"},
		"expiry alone":  {head + `"status":{"expirationTimestamp":"2030-01-02T03:04:05Z"}}`, "exec plugin didn't return a token or cert/key pair"},
		"no key":        {head + `"status":{"token":"a","clientCertificateData":"HUNTER2"}}`, "exec plugin returned only certificate or key, not both"},
		"no cert":       {head + `"status":{"token":"a","clientKeyData":"HUNTER2"}}`, "exec plugin returned only certificate or key, not both"},
		"no PEM":        {head + `"status":{"clientCertificateData":"HUNTER2","clientKeyData":"HUNTER2"}}`, "failed parsing client key/certificate"},
		"not a pair":    {head + `"status":` + string(mixed) + `}`, "private key does not match public key"},
		"odd expiry":    {head + `"status":{"token":"HUNTER2","expirationTimestamp":"HUNTER2"}}`, "status.expirationTimestamp is not a time"},
		"odd token":     {head + `"status":{"token":{"HUNTER2":"HUNTER2"}}}`, "status.token of type string"},
		"a line break":  {head + `"status":{"token":"HUNTER2\n"}}`, "a token with a line break"},
	} {
		creds, err := parseOutput([]byte(c.stdout), v1)
		if err == nil || creds != nil {
			t.Errorf("%s: got %v and no error", name, creds)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q does not say %q", name, err, c.want)
		}
		if strings.Contains(err.Error(), "HUNTER2") || strings.Contains(err.Error(), "MIG") {
			t.Errorf("%s: %q tells a secret", name, err)
		}
	}
}

// Whatever a plugin prints, parsing it either fails, without telling the token,
// or yields credentials that can be used.
func FuzzParseOutput(f *testing.F) {
	f.Add([]byte(head + `"status":{"token":"abcdefgh","expirationTimestamp":"2030-01-02T03:04:05Z"}}`))
	f.Add([]byte(head + `"status":{"token":"abcdefgh","clientKeyData":"x"}}`))
	f.Add([]byte(head + `"status":{"token":"abcdefgh","expirationTimestamp":"abcdefgh"}}`))
	f.Add([]byte(`{"kind":"Pod","apiVersion":"v1","status":{"token":"abcdefgh"}}`))
	f.Add([]byte("kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1beta1\nstatus:\n  token: abcdefgh\n"))
	f.Add([]byte("- &abcdefgh x"))
	f.Fuzz(func(t *testing.T, stdout []byte) {
		var known struct{ Status struct{ Token string } }
		_ = json.Unmarshal(stdout, &known) // a zero token means that there is nothing to look for
		secret := known.Status.Token

		for _, version := range []string{"v1", "v1beta1"} {
			group := v1
			if version == "v1beta1" {
				group = v1beta1
			}
			creds, err := parseOutput(stdout, group)
			switch {
			case err == nil && creds.authorization == nil && creds.cert == nil:
				t.Error("no error and no credentials")
			case err == nil && creds.authorization != nil && strings.ContainsAny(creds.authorization[0], "\r\n\x00"):
				t.Errorf("a header cannot be %q", creds.authorization[0])
			case err != nil && len(secret) >= 8 && !strings.Contains(withoutToken(stdout, secret), secret) && strings.Contains(err.Error(), secret):
				t.Errorf("%q tells the token", err)
			}
		}
	})
}

// withoutToken returns stdout with the token's first appearance taken out: a
// text that is there twice may be a kind as well as a token.
func withoutToken(stdout []byte, token string) string {
	return strings.Replace(string(stdout), token, "", 1)
}
