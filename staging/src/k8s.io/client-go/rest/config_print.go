package rest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// What is printed in place of what nobody should see, and of what nobody wants to read.
const (
	redacted  = "--- REDACTED ---"
	truncated = "--- TRUNCATED ---"
)

// String describes c without its secrets.
func (c *Config) String() string {
	if c == nil {
		return "<nil>"
	}
	return c.describe()
}

// GoString describes c without its secrets.
func (c *Config) GoString() string { return c.String() }

// Format prints c without its secrets, whatever the verb, and also where a Config
// itself is printed and not a pointer to it.
func (c Config) Format(state fmt.State, _ rune) {
	_, _ = state.Write([]byte(c.describe())) // fmt has nowhere to report to either
}

// String describes c without its key.
func (c TLSClientConfig) String() string { return c.describe() }

// GoString describes c without its key.
func (c TLSClientConfig) GoString() string { return c.describe() }

// Format prints c without its key, whatever the verb.
func (c TLSClientConfig) Format(state fmt.State, _ rune) {
	_, _ = state.Write([]byte(c.describe()))
}

func (c *Config) describe() string {
	d := description{}
	d.open("rest.Config")
	d.text("Host", withoutPassword(c.Host))
	d.text("APIPath", c.APIPath)
	d.text("AcceptContentTypes", c.AcceptContentTypes)
	d.text("ContentType", c.ContentType)
	if c.GroupVersion != nil {
		d.text("GroupVersion", c.GroupVersion.String())
	}
	d.presence("NegotiatedSerializer", c.NegotiatedSerializer)
	d.text("Username", c.Username)
	d.text("Password", mask(c.Password))
	d.text("BearerToken", mask(c.BearerToken))
	d.text("BearerTokenFile", c.BearerTokenFile)
	d.value("Impersonate", fmt.Sprintf("%+v", c.Impersonate))
	if c.AuthProvider != nil {
		// Its settings hold tokens.
		d.value("AuthProvider", fmt.Sprintf("{Name:%q, Config:%q}", c.AuthProvider.Name, redacted))
	}
	d.presence("AuthConfigPersister", c.AuthConfigPersister)
	if c.ExecProvider != nil {
		// Arguments and environment may hold passwords.
		d.value("ExecProvider", fmt.Sprintf("{Command:%q, Args:%q, Env:%q, APIVersion:%q}", c.ExecProvider.Command, redacted, redacted, c.ExecProvider.APIVersion))
	}
	d.value("TLSClientConfig", c.TLSClientConfig.describe())
	d.text("UserAgent", c.UserAgent)
	d.value("DisableCompression", strconv.FormatBool(c.DisableCompression))
	d.presence("Transport", c.Transport)
	d.flag("WrapTransport", c.WrapTransport != nil)
	d.value("QPS", strconv.FormatFloat(float64(c.QPS), 'g', -1, 32))
	d.value("Burst", strconv.Itoa(c.Burst))
	d.presence("RateLimiter", c.RateLimiter)
	d.presence("WarningHandler", c.WarningHandler)
	d.presence("WarningHandlerWithContext", c.WarningHandlerWithContext)
	d.value("Timeout", c.Timeout.String())
	d.flag("Dial", c.Dial != nil)
	d.flag("Proxy", c.Proxy != nil)
	return d.close()
}

func (c *TLSClientConfig) describe() string {
	d := description{}
	d.open("rest.TLSClientConfig")
	d.value("Insecure", strconv.FormatBool(c.Insecure))
	d.text("ServerName", c.ServerName)
	d.text("CertFile", c.CertFile)
	d.text("KeyFile", c.KeyFile)
	d.text("CAFile", c.CAFile)
	if len(c.CertData) > 0 {
		d.text("CertData", truncated)
	}
	d.text("KeyData", mask(string(c.KeyData)))
	if len(c.CAData) > 0 {
		d.text("CAData", truncated)
	}
	if len(c.NextProtos) > 0 {
		d.value("NextProtos", fmt.Sprintf("%q", c.NextProtos))
	}
	return d.close()
}

// description writes a struct the way Go does, but leaves out what is empty.
type description struct {
	strings.Builder
	fields int
}

func (d *description) open(name string) {
	d.WriteString(name)
	d.WriteByte('{')
}

func (d *description) close() string {
	d.WriteByte('}')
	return d.String()
}

func (d *description) value(name, value string) {
	if d.fields++; d.fields > 1 {
		d.WriteString(", ")
	}
	d.WriteString(name)
	d.WriteByte(':')
	d.WriteString(value)
}

func (d *description) text(name, value string) {
	if value != "" {
		d.value(name, strconv.Quote(value))
	}
}

func (d *description) flag(name string, set bool) {
	if set {
		d.value(name, "<set>")
	}
}

// presence tells the type of what is there, as the value may print secrets of its own.
func (d *description) presence(name string, what any) {
	if what != nil {
		d.value(name, fmt.Sprintf("%T", what))
	}
}

func mask(secret string) string {
	if secret == "" {
		return ""
	}
	return redacted
}

// withoutPassword redacts the password of a URL such as https://user:password@host.
func withoutPassword(host string) string {
	if !strings.Contains(host, "@") {
		return host
	}
	if u, err := url.Parse(host); err == nil {
		return u.Redacted()
	}
	return redacted + host[strings.LastIndexByte(host, '@'):]
}
