package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rookery-mail/rookery/cmd/rookery/internal/config"
)

// selfSigned is the file under data_dir with the certificate and the key that are made when none are configured.
const selfSigned = "self-signed.pem"

// certificates hands out the present certificate; reload replaces it for connections to come.
type certificates struct {
	cfg     *config.Config
	current atomic.Pointer[tls.Certificate]
}

func newCertificates(cfg *config.Config) (*certificates, error) {
	c := &certificates{cfg: cfg}
	return c, c.reload()
}

// reload reads the files again. With an error the old certificate stays in use.
func (c *certificates) reload() error {
	cert, _, err := loadCertificate(c.cfg, certificateMake)
	if err == nil {
		c.current.Store(cert)
	}
	return err
}

// config returns what listeners and STARTTLS use.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

type certificateMode int

const (
	certificateRead certificateMode = iota // a missing self-signed one is no error
	certificateMake                        // a missing self-signed one is made
)

// loadCertificate returns the configured certificate, or the self-signed one, and the file it came from.
func loadCertificate(cfg *config.Config, mode certificateMode) (*tls.Certificate, string, error) {
	if cfg.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
		if err != nil {
			return nil, "", fmt.Errorf("tls.cert %s, tls.key %s: %w; expected a certificate chain and its private key in PEM", cfg.TLSCert, cfg.TLSKey, err)
		}
		return &cert, cfg.TLSCert, nil
	}
	path := filepath.Join(cfg.DataDir, selfSigned)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if mode == certificateRead {
			return nil, path, nil
		}
		if err := makeSelfSigned(path, cfg, time.Now()); err != nil {
			return nil, "", fmt.Errorf("making a self-signed certificate: %w", err)
		}
	}
	cert, err := tls.LoadX509KeyPair(path, path)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w; remove it to have a new one made", path, err)
	}
	return &cert, path, nil
}

// makeSelfSigned writes a certificate for this machine's names and its key into one file, whole or not at all, that only the
// owner may read.
func makeSelfSigned(path string, cfg *config.Config, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	names := []string{"localhost"}
	for _, n := range []string{cfg.Hostname, machineName()} {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: names[len(names)-1], Organization: []string{"Rookery self-signed"}},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},

		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	content = append(content, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	return writeFile(path, content)
}

// writeFile writes a file for the owner alone, whole or not at all, and makes it durable.
func writeFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// machineName returns this machine's name if it can stand in a certificate.
func machineName() string {
	name, err := os.Hostname()
	if err != nil || net.ParseIP(name) != nil {
		return ""
	}
	return name
}
