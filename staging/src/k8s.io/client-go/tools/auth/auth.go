// Package auth reads and writes credentials in a file format of their own: the
// JSON of an [Info].
//
// Few programs need it. Credentials belong in a kubeconfig, which
// k8s.io/client-go/tools/clientcmd reads. A program that has such a file and
// wants to be somebody does
//
//	info, err := auth.LoadFromFile(filename)
//	if err != nil {
//		return err
//	}
//	config, err := info.MergeWithConfig(rest.Config{Host: "https://example.com:6443"})
//
// and makes its clients from config.
package auth

import (
	"encoding/json"
	"fmt"
	"os"

	restclient "k8s.io/client-go/rest"
)

// Info is who a client is and whom it trusts.
type Info struct {
	// User and Password are for basic authentication.
	User     string
	Password string `datapolicy:"password"`
	// CAFile, CertFile and KeyFile are paths of PEM files: the certificate
	// authorities to trust, the client's certificate, and its key.
	CAFile   string
	CertFile string
	KeyFile  string
	// BearerToken is sent with each request.
	BearerToken string `datapolicy:"token"`
	// Insecure accepts any certificate of a server.
	Insecure *bool
}

// LoadFromFile reads an Info from a JSON file. If there is no such file,
// os.IsNotExist holds for the error.
func LoadFromFile(path string) (*Info, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	info := new(Info)
	if err := json.Unmarshal(data, info); err != nil {
		return nil, fmt.Errorf("parsing credentials in %s: %w", path, err)
	}
	return info, nil
}

// MergeWithConfig returns c with everything that info is about set to what info
// says, even where that is nothing; only Insecure may be left open. The error is
// always nil.
func (info Info) MergeWithConfig(c restclient.Config) (restclient.Config, error) {
	c.Username, c.Password, c.BearerToken = info.User, info.Password, info.BearerToken
	tls := &c.TLSClientConfig
	tls.CAFile, tls.CertFile, tls.KeyFile = info.CAFile, info.CertFile, info.KeyFile
	if info.Insecure != nil {
		tls.Insecure = *info.Insecure
	}
	return c, nil
}

// Complete tells whether info says who the client is.
func (info Info) Complete() bool {
	return info.User != "" || info.CertFile != "" || info.BearerToken != ""
}
