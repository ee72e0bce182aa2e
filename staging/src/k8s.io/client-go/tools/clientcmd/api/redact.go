package api

import (
	"encoding/base64"
	"slices"
	"strings"
)

const redacted = "REDACTED"

// RedactSecrets replaces what lets its holder act as a user by "REDACTED":
//
//   - tokens, passwords and client keys;
//   - passwords in the URLs of servers and proxies;
//   - the settings of authentication plugins, and the environment variables and
//     options of commands, whose names say that they are secret, such as
//     id-token or AWS_SECRET_ACCESS_KEY.
//
// Values that are empty stay so. Extensions are left alone; what they hold is
// known to those who wrote them only. The error is always nil.
func RedactSecrets(config *Config) error {
	for _, cluster := range config.Clusters {
		if cluster != nil {
			redactURL(&cluster.Server)
			redactURL(&cluster.ProxyURL)
		}
	}
	for _, user := range config.AuthInfos {
		if user != nil {
			user.redact()
		}
	}
	return nil
}

func (user *AuthInfo) redact() {
	redactString(&user.Token)
	redactString(&user.Password)
	if len(user.ClientKeyData) != 0 {
		user.ClientKeyData = []byte(redacted)
	}
	if user.AuthProvider != nil {
		for key, value := range user.AuthProvider.Config {
			if value != "" && isSecretName(key) {
				user.AuthProvider.Config[key] = redacted
			}
		}
	}
	if user.Exec != nil {
		user.Exec.redact()
	}
}

func (c *ExecConfig) redact() {
	for i := range c.Env {
		if isSecretName(c.Env[i].Name) {
			redactString(&c.Env[i].Value)
		}
	}
	// The arguments may share their array with the caller's own.
	c.Args = slices.Clone(c.Args)
	for i, arg := range c.Args {
		name, value, joined := strings.Cut(arg, "=")
		switch {
		case !strings.HasPrefix(arg, "-") || !isSecretName(name):
		case joined && value != "":
			c.Args[i] = name + "=" + redacted
		case !joined && i+1 < len(c.Args) && !strings.HasPrefix(c.Args[i+1], "-"):
			redactString(&c.Args[i+1])
		}
	}
}

// isSecretName tells whether something called that is to be kept secret, going
// by its name alone. Names that end in "file", "path" and the like only say
// where a secret is.
func isSecretName(name string) bool {
	name = strings.ToLower(name)
	for _, place := range []string{"file", "path", "dir", "url", "uri", "endpoint"} {
		if word, found := strings.CutSuffix(name, place); found && strings.TrimRight(word, "-_.") != word {
			return false
		}
	}
	for _, secret := range []string{"token", "secret", "passw", "credential", "apikey", "api-key", "api_key", "private"} {
		if strings.Contains(name, secret) {
			return true
		}
	}
	return false
}

func redactString(s *string) {
	if *s != "" {
		*s = redacted
	}
}

// redactURL works on the text, because a URL that does not parse can hold a
// password too.
func redactURL(s *string) {
	start := 0
	if i := strings.Index(*s, "://"); i >= 0 {
		start = i + len("://")
	}
	authority := (*s)[start:]
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return
	}
	if user, password, _ := strings.Cut(authority[:at], ":"); password != "" {
		*s = (*s)[:start] + user + ":" + redacted + (*s)[start+at:]
	}
}

// ShortenConfig makes config fit for being read by people: certificates and
// keys print as DATA+OMITTED in JSON and YAML, and tokens as REDACTED. It is no
// substitute for [RedactSecrets], which knows of other secrets.
func ShortenConfig(config *Config) {
	for _, user := range config.AuthInfos {
		if user != nil {
			omit(&user.ClientCertificateData)
			omit(&user.ClientKeyData)
			redactString(&user.Token)
		}
	}
	for _, cluster := range config.Clusters {
		if cluster != nil {
			omit(&cluster.CertificateAuthorityData)
		}
	}
}

// omit replaces data by bytes whose base64, which is what gets printed, can be
// read.
func omit(data *[]byte) {
	if len(*data) != 0 {
		*data, _ = base64.StdEncoding.DecodeString("DATA+OMITTED")
	}
}
