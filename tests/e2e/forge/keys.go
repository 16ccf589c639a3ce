package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Keys of a server and of its one client; all in PEM but for the line of known_hosts.
type Keys struct {
	Certificate string `json:"certificate"` // its own authority
	Key         string `json:"key"`
	HostKey     string `json:"hostKey"`
	ClientKey   string `json:"clientKey"`
	KnownHosts  string `json:"knownHosts"`
}

func newKeys(host string) (keys Keys, err error) {
	if keys.Certificate, keys.Key, err = newCertificate(host); err != nil {
		return keys, err
	}
	hostKey, public, err := newKey()
	if err != nil {
		return keys, err
	}
	keys.HostKey = hostKey
	keys.KnownHosts = host + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))) + "\n"
	keys.ClientKey, _, err = newKey()
	return keys, err
}

func newCertificate(host string) (certificate, key string, err error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: host},
		DNSNames:              []string{host},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return "", "", err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	return inPem("CERTIFICATE", der), inPem("PRIVATE KEY", raw), err
}

// newKey is one for SSH.
func newKey() (text string, public ssh.PublicKey, err error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return "", nil, err
	}
	public, err = ssh.NewPublicKey(private.Public())
	return string(pem.EncodeToMemory(block)), public, err
}

func inPem(kind string, bytes []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
}
