package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/internal/atomicfile"
	"k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"
)

// Store keeps a certificate and its key.
type Store interface {
	// Current returns the certificate, with its key and with its first
	// certificate parsed as Leaf. Where there is none the error is a
	// *[NoCertKeyError].
	Current() (*tls.Certificate, error)
	// Update makes a certificate and a key, both in PEM, the current ones, and
	// returns them as Current would.
	Update(cert, key []byte) (*tls.Certificate, error)
}

// NoCertKeyError says that a store has no certificate yet.
type NoCertKeyError string

func (e *NoCertKeyError) Error() string { return string(*e) }

// FileStore is a store in files.
type FileStore interface {
	Store
	// CurrentPath returns the file that has the current certificate and its key,
	// in PEM. It is a link that leads elsewhere after each update. The file may
	// not exist yet.
	CurrentPath() string
}

// NewFileStore is [NewFileStoreWithLogger] that logs through klog.
func NewFileStore(pairNamePrefix string, certDirectory string, keyDirectory string, certFile string, keyFile string) (FileStore, error) {
	return NewFileStoreWithLogger(klog.Background(), pairNamePrefix, certDirectory, keyDirectory, certFile, keyFile)
}

// NewFileStoreWithLogger returns a store in files. The current certificate is the
// first of these that is there:
//
//   - PREFIX-current.pem in certDirectory, with certificate and key
//   - certFile and keyFile
//   - PREFIX.crt in certDirectory and PREFIX.key in keyDirectory
//
// An update writes a file PREFIX-DATE.pem in certDirectory, for the user alone, and
// then has the link PREFIX-current.pem lead to it. Readers see the old pair or the new
// one, and so does the next start after a crash. Older files stay.
func NewFileStoreWithLogger(logger klog.Logger, pairNamePrefix string, certDirectory string, keyDirectory string, certFile string, keyFile string) (FileStore, error) {
	s := &fileStore{logger: logger, prefix: pairNamePrefix, certDir: certDirectory, keyDir: keyDirectory, certFile: certFile, keyFile: keyFile}
	if err := s.recover(); err != nil {
		return nil, err
	}
	return s, nil
}

type fileStore struct {
	logger            klog.Logger
	prefix            string
	certDir, keyDir   string
	certFile, keyFile string
}

func (s *fileStore) CurrentPath() string { return s.path("-current.pem") }

func (s *fileStore) path(suffix string) string { return filepath.Join(s.certDir, s.prefix+suffix) }

// recover finishes an update that another implementation, which makes the link under
// this name first, had begun when it was ended.
func (s *fileStore) recover() error {
	updated := s.path("-updated.pem")
	info, err := os.Lstat(updated)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink == 0:
		return fmt.Errorf("%s is a file: it must be a link, or not be there", updated)
	}
	if err := os.Rename(updated, s.CurrentPath()); err != nil {
		return fmt.Errorf("finishing an update: %w", err)
	}
	return nil
}

func (s *fileStore) Current() (*tls.Certificate, error) {
	candidates := [][2]string{
		{s.CurrentPath(), s.CurrentPath()},
		{s.certFile, s.keyFile},
		{s.path(".crt"), filepath.Join(s.keyDir, s.prefix+".key")},
	}
	for _, c := range candidates {
		there, err := exist(c[0], c[1])
		if err != nil {
			return nil, err
		}
		if there {
			s.logger.Info("Loading the certificate", "certificate", c[0], "key", c[1])
			return load(c[0], c[1])
		}
	}
	err := NoCertKeyError(fmt.Sprintf("there is no certificate with its key: neither %s, nor %q and %q, nor %s and %s",
		s.CurrentPath(), s.certFile, s.keyFile, candidates[2][0], candidates[2][1]))
	return nil, &err
}

// exist reports whether all files are there.
func exist(files ...string) (bool, error) {
	for _, file := range files {
		if file == "" {
			return false, nil
		}
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("looking for the certificate: %w", err)
		}
	}
	return true, nil
}

func load(certFile, keyFile string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("loading the certificate %s with the key %s: %w", certFile, keyFile, err)
	}
	return withLeaf(&pair)
}

func (s *fileStore) Update(certData, keyData []byte) (*tls.Certificate, error) {
	// What does not fit together must not take the place of what does.
	pair, err := tls.X509KeyPair(certData, keyData)
	if err != nil {
		return nil, fmt.Errorf("the new certificate cannot be used: %w", err)
	}
	var data []byte
	for rest := certData; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == cert.CertificateBlockType {
			data = append(data, pem.EncodeToMemory(block)...)
		}
	}
	for rest := keyData; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		data = append(data, pem.EncodeToMemory(block)...)
	}
	current := s.CurrentPath()
	if info, err := os.Lstat(current); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return nil, fmt.Errorf("%s is a file: it must be a link, or not be there", current)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := filepath.Abs(s.path("-" + time.Now().Format("2006-01-02-15-04-05") + ".pem"))
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Write(file, data, 0o600); err != nil {
		return nil, fmt.Errorf("writing the certificate: %w", err)
	}
	if err := atomicfile.Link(file, current); err != nil {
		return nil, fmt.Errorf("making the new certificate the current one: %w", err)
	}
	s.logger.Info("The current certificate has changed", "certificate", file)
	return withLeaf(&pair)
}

// withLeaf has the first certificate parsed.
func withLeaf(pair *tls.Certificate) (*tls.Certificate, error) {
	if pair.Leaf == nil {
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			return nil, fmt.Errorf("parsing the certificate: %w", err)
		}
		pair.Leaf = leaf
	}
	return pair, nil
}
