package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (w *world) newAuthority() *authority {
	w.Helper()
	a := &authority{}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		w.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		w.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(raw); err != nil {
		w.Fatal(err)
	}
	return a
}

// apiName is a name of the API that only a proxy knows.
const apiName = "api.example"

// certificate returns a certificate for 127.0.0.1 and apiName, as changed by change.
func (a *authority) certificate(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "the API"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{apiName},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	parent, signer := a.cert, a.key
	if template.Issuer.CommonName == "itself" {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// secured is the API behind TLS.
type secured struct {
	*authority
	// config is the server's configuration, good the one without a fault.
	config atomic.Pointer[tls.Config]
	good   *tls.Config
}

// secure puts the API behind TLS, with a certificate that the program trusts.
func (w *world) secure() *secured {
	w.Helper()
	s := &secured{authority: w.newAuthority()}
	file := filepath.Join(w.TempDir(), "authority.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}), 0o600); err != nil {
		w.Fatal(err)
	}
	w.Env = append(w.Env, "SSL_CERT_FILE="+file, "SSL_CERT_DIR="+w.TempDir())
	s.good = &tls.Config{Certificates: []tls.Certificate{s.certificate(w, nil)}, NextProtos: []string{"h2", "http/1.1"}}
	s.config.Store(s.good)
	server := w.server()
	server.EnableHTTP2 = true
	server.TLS = s.good.Clone()
	server.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.config.Load(), nil }
	server.StartTLS()
	w.Base = server.URL
	return s
}

// alwaysSends sends this text on a connection, whatever it reads.
func alwaysSends(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1<<10))
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
}

// TestCertificates: a server that cannot prove to be the API, or that speaks no current TLS, ends
// the pull at once. It sees one connection or two, and nothing of the key.
func TestCertificates(t *testing.T) {
	t.Parallel()
	cert := func(change func(*x509.Certificate)) func(*world, *secured) {
		return func(w *world, s *secured) {
			s.config.Store(&tls.Config{Certificates: []tls.Certificate{s.certificate(w, change)}})
		}
	}
	config := func(change func(*tls.Config)) func(*world, *secured) {
		return func(_ *world, s *secured) {
			c := s.good.Clone()
			change(c)
			s.config.Store(c)
		}
	}
	raw := func(text string) func(*world, *secured) {
		return func(w *world, _ *secured) { w.take(alwaysSends(text)) }
	}
	// As servers respond that do not know an extension of the client's.
	oldHello := func(version byte) string {
		hello := "\x02\x00\x00\x26\x03" + string(version) + strings.Repeat("r", 32) + "\x00\x00\x2f\x00"
		return "\x16\x03" + string(version) + "\x00" + string(rune(len(hello))) + hello
	}
	for _, c := range harness.Some([]struct {
		name, says string
		breaks     func(*world, *secured)
	}{
		{"expired", "expired", cert(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })},
		{"TLS 1.0", "protocol version", config(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10; c.MinVersion = tls.VersionTLS10 })},
		{"TLS 1.0 of old", "unsupported protocol version", raw(oldHello(1))},
		{"not valid yet", "not yet valid", cert(func(c *x509.Certificate) {
			c.NotBefore = time.Now().Add(time.Hour)
			c.NotAfter = time.Now().Add(2 * time.Hour)
		})},
		{"of another host", "127.0.0.1", cert(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} })},
		{"signed by itself", "unknown authority", cert(func(c *x509.Certificate) { c.Issuer.CommonName = "itself" })},
		{"of another authority", "unknown authority", func(w *world, s *secured) {
			s.config.Store(&tls.Config{Certificates: []tls.Certificate{w.newAuthority().certificate(w, nil)}})
		}},
		{"for clients only", "usage", cert(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })},
		{"TLS 1.1", "protocol version", config(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11; c.MinVersion = tls.VersionTLS10 })},
		{"TLS 1.1 of old", "unsupported protocol version", raw(oldHello(2))},
		{"SSL 3 of old", "unsupported protocol version", raw(oldHello(0))},
		{"wants a certificate", "handshake failure", config(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert; c.MaxVersion = tls.VersionTLS12 })},
		{"no cipher in common", "handshake failure", config(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}
		})},
		{"plain http", "", raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")},
		{"SSH", "TLS", raw("SSH-2.0-OpenSSH_9.9\r\n")},
		{"a name that is not known", "unrecognized name", raw("\x15\x03\x03\x00\x02\x02\x70")},
		{"no access", "access denied", raw("\x15\x03\x03\x00\x02\x02\x31")},
	}, 3) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			s := w.secure()
			c.breaks(w, s)
			e := w.run(command{Args: []string{"pull"}})
			w.endsWith(e, 4)
			w.says(e, c.says, "the same command")
			w.peaksBelow(e, peak)
			if n := w.connections.Load(); n > 2 {
				t.Errorf("%d connections", n)
			}
			if n := w.API.Stats().Events.Requests; n > 0 {
				t.Errorf("%d requests", n)
			}
			t.Logf("%d connections, %s", w.connections.Load(), e.Err)
			s.config.Store(s.good)
			w.recovers()
		})
	}
}

// TestHandshakesBreak: a handshake that breaks off is retried.
func TestHandshakesBreak(t *testing.T) {
	t.Parallel()
	type breaks struct {
		name string
		do   func(net.Conn)
	}
	cases := []breaks{
		{"reset", reset},
		{"closed", func(conn net.Conn) { _ = conn.Close() }},
		{"half", func(conn net.Conn) { _, _ = io.WriteString(conn, "\x16\x03\x03"); _ = conn.Close() }},
		{"an alert that passes", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "\x15\x03\x03\x00\x02\x02\x50") // internal error
			_ = conn.Close()
		}},
		{"hangs", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() }},
	}
	for _, c := range harness.Some(cases, 1) {
		for _, forGood := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, for good %v", c.name, forGood), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tcpPages())
				w.secure()
				var n atomic.Int64
				w.take(func(conn net.Conn) {
					if n.Add(1) == 2 && !forGood {
						w.raw.Store(nil)
					}
					c.do(conn)
				})
				if forGood {
					w.givesUp(peak)
				} else {
					w.outlasts(peak)
				}
			})
		}
	}
}
