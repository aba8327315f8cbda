package faults

import (
	"bytes"
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
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
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

// certificate returns one for 127.0.0.1 and apiName, changed.
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
	// config is what the server does, good what it does when it is mended.
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

// alwaysSends gives a connection this, whatever comes.
func alwaysSends(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1<<10))
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
}

// TestCertificates: where a server cannot show that it is the API, or speaks no TLS of today,
// the pull ends at once, with one connection or two, and nothing of the key has gone out.
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
	// As servers answer that do not know what a client offers by extension.
	oldHello := func(version byte) string {
		hello := "\x02\x00\x00\x26\x03" + string(version) + strings.Repeat("r", 32) + "\x00\x00\x2f\x00"
		return "\x16\x03" + string(version) + "\x00" + string(rune(len(hello))) + hello
	}
	for _, c := range some([]struct {
		name, says string
		spoil      func(*world, *secured)
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
			c.spoil(w, s)
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

// TestHandshakesBreak: a handshake that does not come to its end is tried again.
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
	for _, c := range some(cases, 1) {
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

// proxied lets the program reach the API by its name and this proxy only.
func (w *world) proxied(h http.HandlerFunc) (api string, proxy *httptest.Server) {
	w.Helper()
	api = strings.TrimPrefix(w.Base, "https://")
	_, port, err := net.SplitHostPort(api)
	if err != nil {
		w.Fatal(err)
	}
	w.Base = "https://" + net.JoinHostPort(apiName, port)
	proxy = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var text strings.Builder
		_ = r.Write(&text)
		w.noSecret("a request to a proxy", []byte(text.String()))
		if r.Method != http.MethodConnect {
			w.Errorf("%s to a proxy", r.Method)
		}
		w.sunk.Add(1)
		h(rw, r)
	}))
	w.Cleanup(func() {
		proxy.CloseClientConnections()
		proxy.Close()
	})
	return api, proxy
}

// tunnel is what a proxy is for. What goes through it from the program has no secret in it.
func (w *world) tunnel(api string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		server, err := net.Dial("tcp", api)
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(conn, server)
			_ = conn.Close()
		}()
		var sent bytes.Buffer
		_, _ = io.Copy(io.MultiWriter(server, &sent), conn)
		w.noSecret("what went through a proxy", sent.Bytes())
	}
}

// TestProxies: a proxy of the environment is used for https, where it sees a tunnel and no key;
// one that is down, refuses, or puts itself in between ends the pull with code 4.
func TestProxies(t *testing.T) {
	t.Parallel()
	const password = "ds_test_proxy_password"
	run := func(name string, test func(t *testing.T, w *world, s *secured)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			test(t, w, w.secure())
		})
	}
	with := func(w *world, proxy string) { w.Env = append(w.Env, "HTTPS_PROXY="+proxy) }
	run("a tunnel", func(t *testing.T, w *world, _ *secured) {
		api := ""
		api, proxy := w.proxied(func(rw http.ResponseWriter, r *http.Request) { w.tunnel(api)(rw, r) })
		with(w, proxy.URL)
		w.outlasts(peak)
		if w.sunk.Load() == 0 {
			t.Error("the proxy was not used")
		}
	})
	run("down", func(t *testing.T, w *world, _ *secured) {
		api := ""
		api, proxy := w.proxied(func(rw http.ResponseWriter, r *http.Request) { w.tunnel(api)(rw, r) })
		w.Env = append(w.Env, "HTTPS_PROXY=http://user:"+password+"@127.0.0.1:1")
		e := w.run(pull())
		w.endsWith(e, 4)
		w.says(e, "HTTPS_PROXY", "127.0.0.1:1", "refused")
		if strings.Contains(e.Err, password) {
			t.Errorf("O5: the proxy's password: %v", e)
		}
		w.Env[len(w.Env)-1] = "HTTPS_PROXY=" + proxy.URL
		w.recovers()
	})
	for _, c := range some([]struct {
		fault
		says string
	}{
		{fault{"refuses", answering(403, "no")}, "(HTTPS_PROXY) answered 403"},
		{fault{"wants a password", answering(407, "", "Proxy-Authenticate", "Basic")}, "(HTTPS_PROXY) answered 407"},
		{fault{"has no way", answering(502, "<html>")}, "(HTTPS_PROXY) answered 502"},
		{fault{"redirects", answering(302, "", "Location", "http://127.0.0.1:1/")}, "(HTTPS_PROXY) answered 302"},
		{fault{"closes", hijack("")}, "EOF"},
		{fault{"speaks no HTTP", hijack("SSH-2.0-OpenSSH_9.9\r\n")}, ""},
		{fault{"answers without end", flood("HTTP/1.1 200 OK\r\n", "X-A: b\r\n", 1<<40)}, ""},
		{fault{"leads to garbage", hijack("HTTP/1.1 200 OK\r\n\r\ngarbage")}, ""},
		{fault{"refuses without end", flood("HTTP/1.1 502 No\r\n\r\n", "x", 1<<40)}, "(HTTPS_PROXY) answered 502"},
		{fault{"takes over the screen", hijack("HTTP/1.1 503 \x1b]52;c;eA==\x07\x1b[2J\r\nX: \x1b[2J\r\n\r\n")}, ""},
	}, 2) {
		run(c.name, func(t *testing.T, w *world, _ *secured) {
			api, broken := "", atomic.Bool{}
			api, proxy := w.proxied(func(rw http.ResponseWriter, r *http.Request) {
				if broken.Load() {
					c.HandlerFunc(rw, r)
					return
				}
				w.tunnel(api)(rw, r)
			})
			with(w, strings.Replace(proxy.URL, "http://", "http://user:"+password+"@", 1))
			broken.Store(true)
			e := w.run(pull())
			w.endsWith(e, 4)
			w.says(e, c.says)
			w.peaksBelow(e, peak)
			if strings.Contains(e.Err, password) {
				t.Errorf("O5: the proxy's password: %v", e)
			}
			t.Logf("%d tries: %s", w.sunk.Load(), e.Err)
			broken.Store(false)
			w.recovers()
		})
	}
	run("in between", func(t *testing.T, w *world, _ *secured) {
		// It ends the tunnel itself, with a certificate of its own.
		impostor := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request") }))
		impostor.TLS = &tls.Config{Certificates: []tls.Certificate{w.newAuthority().certificate(w, nil)}}
		impostor.StartTLS()
		t.Cleanup(impostor.Close)
		_, proxy := w.proxied(func(rw http.ResponseWriter, r *http.Request) { w.tunnel(impostor.Listener.Addr().String())(rw, r) })
		with(w, proxy.URL)
		e := w.run(command{Args: []string{"pull"}})
		w.endsWith(e, 4)
		w.says(e, "unknown authority")
		if n := w.sunk.Load(); n > 2 {
			t.Errorf("%d tries", n)
		}
	})
	run("no URL", func(t *testing.T, w *world, _ *secured) {
		w.proxied(nil)
		with(w, "http://user:"+password+"@[bad")
		e := w.run(pull())
		w.endsWith(e, 4)
		w.says(e, "HTTPS_PROXY")
		if strings.Contains(e.Err, "--base-url") {
			t.Errorf("O1: the API's address is not what is wrong: %v", e)
		}
		if strings.Contains(e.Err, password) {
			t.Errorf("O5: the proxy's password: %v", e)
		}
	})
	run("for plain http", func(t *testing.T, w *world, _ *secured) {
		// Whoever gets that would get the key.
		sink := w.sink()
		w.Base = "http://" + apiName
		w.Env = append(w.Env, "HTTP_PROXY="+sink, "http_proxy="+sink, "ALL_PROXY="+sink, "HTTPS_PROXY="+sink)
		e := w.run(pull("--max-retry-time", "1s"))
		w.endsWith(e, 4)
		w.says(e, "anyone on the network path can read the key")
		if n := w.sunk.Load(); n > 0 {
			t.Errorf("%d requests to a proxy", n)
		}
	})
}

// peer is the API at the other end of one HTTP/2 connection.
type peer struct {
	*http2.Framer
	conn    net.Conn
	w       *world
	encoded bytes.Buffer
	encoder *hpack.Encoder
}

// h2Fault is what the API does on HTTP/2 to a request; it reports whether the connection goes on.
type h2Fault struct {
	name string
	do   func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool
	// again says that Go's client itself sends such a request again and again, for up to a
	// minute.
	again bool
}

// speaksH2 lets the API speak HTTP/2 by itself; which says what becomes of the nth request.
func (w *world) speaksH2(s *secured, which func(n int64) *h2Fault) {
	var requests atomic.Int64
	config := s.good.Clone()
	config.NextProtos = []string{"h2"}
	w.take(func(conn net.Conn) {
		secure := tls.Server(conn, config)
		defer func() { _ = secure.Close() }()
		p := &peer{Framer: http2.NewFramer(secure, secure), conn: secure, w: w}
		p.encoder = hpack.NewEncoder(&p.encoded)
		p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		if _, err := io.ReadFull(secure, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		_ = p.WriteSettings()
		under := map[uint32]*http.Request{}
		for {
			frame, err := p.ReadFrame()
			if err != nil {
				return
			}
			ends := false
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = p.WriteSettingsAck()
				}
			case *http2.PingFrame:
				if !f.IsAck() {
					_ = p.WritePing(true, f.Data)
				}
			case *http2.MetaHeadersFrame:
				r := httptest.NewRequest(f.PseudoValue("method"), f.PseudoValue("path"), nil)
				r.Host = f.PseudoValue("authority")
				for _, field := range f.RegularFields() {
					r.Header.Add(field.Name, field.Value)
				}
				under[f.StreamID] = r
				ends = f.StreamEnded()
			case *http2.DataFrame:
				ends = f.StreamEnded()
			}
			if !ends {
				continue
			}
			stream := frame.Header().StreamID
			answer := httptest.NewRecorder()
			w.ServeHTTP(answer, under[stream])
			delete(under, stream)
			if fault := which(requests.Add(1)); fault != nil {
				if !fault.do(p, stream, answer) {
					return
				}
				continue
			}
			p.answer(stream, answer, answer.Body.Len())
		}
	})
}

// head sends the headers of an answer.
func (p *peer) head(stream uint32, answer *httptest.ResponseRecorder, ends bool, more ...string) {
	p.encoded.Reset()
	field := func(name, value string) { _ = p.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) }
	field(":status", strconv.Itoa(answer.Code))
	for name, values := range answer.Header() {
		field(strings.ToLower(name), values[0])
	}
	for i := 0; i < len(more); i += 2 {
		field(more[i], more[i+1])
	}
	_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: p.encoded.Bytes(), EndStream: ends, EndHeaders: true})
}

// interim sends an answer that is no last one.
func (p *peer) interim(stream uint32, status int) error {
	p.encoded.Reset()
	_ = p.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(status)})
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: p.encoded.Bytes(), EndHeaders: true})
}

// answer sends an answer, of its body so many bytes; the stream ends with the whole of it.
func (p *peer) answer(stream uint32, answer *httptest.ResponseRecorder, bytes int) {
	p.head(stream, answer, answer.Body.Len() == 0)
	for body := answer.Body.Bytes()[:bytes]; len(body) > 0; {
		n := min(len(body), 16<<10)
		_ = p.WriteData(stream, bytes == answer.Body.Len() && n == len(body), body[:n])
		body = body[n:]
	}
}

func h2Faults() []h2Fault {
	rst := func(code http2.ErrCode) h2Fault {
		return h2Fault{name: "RST_STREAM " + code.String(), do: func(p *peer, stream uint32, _ *httptest.ResponseRecorder) bool {
			_ = p.WriteRSTStream(stream, code)
			return true
		}, again: code == http2.ErrCodeRefusedStream || code == http2.ErrCodeProtocol}
	}
	goAway := func(code http2.ErrCode, answered bool) h2Fault {
		return h2Fault{name: fmt.Sprintf("GOAWAY %s, answered %v", code, answered), do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
			last := stream - 2
			if answered {
				last = stream
			}
			_ = p.WriteGoAway(last, code, []byte("go away"))
			if answered {
				p.answer(stream, answer, answer.Body.Len())
			}
			return false
		}}
	}
	half := func(name string, then func(p *peer, stream uint32) bool) h2Fault {
		return h2Fault{name: name + " in a body", do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
			p.answer(stream, answer, answer.Body.Len()/2)
			return then(p, stream)
		}}
	}
	odd := func(name string, do func(p *peer, stream uint32)) h2Fault {
		return h2Fault{name: name, do: func(p *peer, stream uint32, _ *httptest.ResponseRecorder) bool {
			do(p, stream)
			// The program ends the connection, or has the request end.
			_, _ = io.Copy(io.Discard, p.conn)
			return false
		}}
	}
	endless := func(p *peer, send func() error) {
		_ = p.conn.SetDeadline(time.Now().Add(within))
		go func() { _, _ = io.Copy(io.Discard, p.conn) }()
		for send() == nil {
		}
	}
	return []h2Fault{
		goAway(http2.ErrCodeNo, false),
		rst(http2.ErrCodeRefusedStream),
		half("RST_STREAM", func(p *peer, stream uint32) bool { return p.WriteRSTStream(stream, http2.ErrCodeInternal) == nil }),
		goAway(http2.ErrCodeNo, true), goAway(http2.ErrCodeEnhanceYourCalm, false), goAway(http2.ErrCodeInternal, false),
		rst(http2.ErrCodeCancel), rst(http2.ErrCodeInternal), rst(http2.ErrCodeProtocol), rst(http2.ErrCodeEnhanceYourCalm), rst(http2.ErrCodeNo), rst(http2.ErrCodeHTTP11Required),
		half("RST_STREAM without an error", func(p *peer, stream uint32) bool { return p.WriteRSTStream(stream, http2.ErrCodeNo) == nil }),
		half("GOAWAY", func(p *peer, stream uint32) bool { _ = p.WriteGoAway(stream, http2.ErrCodeInternal, nil); return false }),
		half("the connection's end", func(*peer, uint32) bool { return false }),
		half("the stream's end", func(p *peer, stream uint32) bool { return p.WriteData(stream, true, nil) == nil }),
		half("more data than may be", func(p *peer, stream uint32) bool {
			endless(p, func() error { return p.WriteData(stream, false, make([]byte, 16<<10)) })
			return false
		}),
		odd("a frame that is too large", func(p *peer, stream uint32) {
			_ = p.WriteRawFrame(http2.FrameData, 0, stream, make([]byte, 1<<24-1))
		}),
		odd("a frame of a stream that is none", func(p *peer, stream uint32) { _ = p.WriteRawFrame(http2.FrameData, 0, stream+8, []byte("x")) }),
		odd("headers that are none", func(p *peer, stream uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte("\xff\xff\xff\xff"), EndHeaders: true})
		}),
		odd("a promise", func(p *peer, stream uint32) {
			_ = p.WritePushPromise(http2.PushPromiseParam{StreamID: stream, PromiseID: 2, EndHeaders: true})
		}),
		odd("a window beyond 2^31", func(p *peer, _ uint32) {
			_ = p.WriteRawFrame(http2.FrameWindowUpdate, 0, 0, []byte{0x7f, 0xff, 0xff, 0xff})
		}),
		odd("headers without end", func(p *peer, stream uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: nil})
			p.encoded.Reset()
			for i := 0; p.encoded.Len() < 10<<10; i++ {
				_ = p.encoder.WriteField(hpack.HeaderField{Name: fmt.Sprint("x-", i), Value: strings.Repeat("v", 100), Sensitive: true})
			}
			endless(p, func() error { return p.WriteContinuation(stream, false, p.encoded.Bytes()) })
		}),
		odd("empty headers without end", func(p *peer, stream uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: nil})
			endless(p, func() error { return p.WriteContinuation(stream, false, nil) })
		}),
		odd("a header of 10 MB", func(p *peer, stream uint32) {
			p.encoded.Reset()
			_ = p.encoder.WriteField(hpack.HeaderField{Name: "x-long", Value: strings.Repeat("v", 10<<20), Sensitive: true})
			block := p.encoded.Bytes()
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block[:16<<10]})
			for block = block[16<<10:]; len(block) > 0 && p.WriteContinuation(stream, len(block) <= 16<<10, block[:min(16<<10, len(block))]) == nil; {
				block = block[min(16<<10, len(block)):]
			}
		}),
		odd("101", func(p *peer, stream uint32) { p.interim(stream, 101) }),
		odd("101 and data", func(p *peer, stream uint32) {
			p.interim(stream, 101)
			_ = p.WriteData(stream, false, []byte("another protocol"))
		}),
		odd("1xx without end", func(p *peer, stream uint32) {
			endless(p, func() error { return p.interim(stream, 103) })
		}),
		{name: "no more streams", do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
			p.answer(stream, answer, answer.Body.Len())
			return true
		}},
		{name: "a window of 0", do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
			// The program cannot send the body of a request for access.
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			p.answer(stream, answer, answer.Body.Len())
			return true
		}},
	}
}

// TestHTTP2: whatever a server does to a stream or a connection of HTTP/2, the request is made
// again, on another connection if need be; what stays wrong ends the pull as one that can be
// resumed.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	for _, fault := range some(h2Faults(), 2) {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			s := w.secure()
			var met atomic.Int64
			w.speaksH2(s, func(n int64) *h2Fault {
				if n > 6 && n%4 == 3 && met.Load() < 2 {
					met.Add(1)
					return &fault
				}
				return nil
			})
			e := w.run(command{Args: []string{"pull", "--workers", "2"}})
			w.endsWith(e, 0)
			w.peaksBelow(e, peak)
			if met.Load() == 0 {
				t.Error("nothing went wrong")
			}
			w.mend()
			w.isWhole()
			t.Logf("%d MB, %s, %d connections", e.Peak>>20, e.Took, w.connections.Load())
		})
		t.Run(fault.name+", for good", func(t *testing.T) {
			if fault.again {
				t.Skip("takes more than two minutes")
			}
			t.Parallel()
			w := newWorld(t, tcpPages())
			s := w.secure()
			w.speaksH2(s, func(n int64) *h2Fault {
				if n > 6 {
					return &fault
				}
				return nil
			})
			e := w.run(pull("--workers", "2"))
			w.endsWith(e, 0, 4) // what is no failure of a request is none for good either
			w.peaksBelow(e, peak)
			t.Logf("exit %d, %d MB, %s, %d connections", e.Code, e.Peak>>20, e.Took, w.connections.Load())
			w.recovers()
		})
	}
}

// TestHTTP2Hangs: a connection of HTTP/2 on which nothing comes any more, not even an answer to
// a ping, is given up, and the pull goes on over another one.
func TestHTTP2Hangs(t *testing.T) {
	if !*all {
		t.Skip("takes half a minute: only with -all")
	}
	t.Parallel()
	w := newWorld(t, tcpPages())
	s := w.secure()
	silent := h2Fault{name: "silent", do: func(p *peer, _ uint32, _ *httptest.ResponseRecorder) bool {
		<-w.Context().Done()
		return false
	}}
	var met atomic.Int64
	w.speaksH2(s, func(n int64) *h2Fault {
		if n == 8 {
			met.Add(1)
			return &silent
		}
		return nil
	})
	e := w.run(command{Args: []string{"pull", "--workers", "2"}})
	w.endsWith(e, 0)
	if e.Took < 10*time.Second || met.Load() != 1 {
		t.Errorf("met %d times: %v", met.Load(), e)
	}
	w.mend()
	w.isWhole()
	t.Logf("%s, %d connections", e.Took, w.connections.Load())
}

// flooding is a server that sends frames without end in place of the rest of an answer. Where it
// reads what the program must send for each of them, enough is called after a hundred thousand,
// else when the program takes no more.
func (w *world) flooding(head, reads bool, send func(*peer) error, enough func()) *h2Fault {
	return &h2Fault{do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
		if head {
			p.head(stream, answer, false)
		}
		if reads {
			go func() { _, _ = io.Copy(io.Discard, p.conn) }()
		}
		for n := 0; ; n++ {
			if !reads {
				_ = p.conn.SetWriteDeadline(time.Now().Add(time.Second))
			}
			if err := send(p); err != nil {
				break
			}
			if n == 100_000 && reads {
				enough()
			}
		}
		enough()
		if !reads {
			<-w.Context().Done() // with the connection left open
		}
		return false
	}}
}

// TestAWindowThatOverflows: a stream's window that overflows (RFC 9113, section 6.9.1) makes package net/http wait for a lock that
// it holds itself: neither the context nor the end of the connection ends such a request there. It is
// left alone, and a signal ends the pull all the same.
func TestAWindowThatOverflows(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]bool{"before the head": false, "behind it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			overflowed := make(chan struct{})
			once := sync.OnceFunc(func() { close(overflowed) })
			w.speaksH2(w.secure(), func(n int64) *h2Fault {
				if n <= 6 {
					return nil
				}
				return &h2Fault{do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
					if head {
						p.head(stream, answer, false)
					}
					_ = p.WriteWindowUpdate(stream, 1<<31-1)
					once()
					return true
				}}
			})
			r := w.start(command{Args: []string{"pull", "--workers", "1"}})
			<-overflowed
			r.signal(syscall.SIGINT)
			w.endsWith(r.wait(), 130)
			w.recovers()
		})
	}
}

// TestHTTP2Floods: frames without end that the program has to answer take no memory, whether
// the server reads the answers or not; a signal ends the pull as ever, and the limits of a
// request do by themselves.
func TestHTTP2Floods(t *testing.T) {
	t.Parallel()
	ping := func(p *peer) error { return p.WritePing(false, [8]byte{}) }
	settings := func(p *peer) error {
		return p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535})
	}
	type flood struct {
		name        string
		send        func(*peer) error
		head, reads bool
	}
	for _, f := range some([]flood{
		{"PING behind a head, not read", ping, true, false},
		{"SETTINGS", settings, false, true},
		{"PING", ping, false, true},
		{"PING, not read", ping, false, false},
		{"PING behind a head", ping, true, true},
		{"SETTINGS, not read", settings, false, false},
		{"SETTINGS behind a head", settings, true, true},
		{"SETTINGS behind a head, not read", settings, true, false},
	}, 2) {
		from := func(w *world, n int64, enough func()) {
			w.speaksH2(w.secure(), func(i int64) *h2Fault {
				if i > n {
					return w.flooding(f.head, f.reads, f.send, enough)
				}
				return nil
			})
		}
		t.Run(f.name+", and a signal", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			enough := make(chan struct{})
			from(w, 6, sync.OnceFunc(func() { close(enough) }))
			r := w.start(command{Args: []string{"pull", "--workers", "1"}})
			<-enough
			r.signal(syscall.SIGINT)
			e := r.wait()
			w.endsWith(e, 130)
			w.peaksBelow(e, peak)
			t.Logf("%d MB, %s", e.Peak>>20, e.Took)
			w.recovers()
		})
		t.Run(f.name+", for good", func(t *testing.T) {
			if !*all {
				t.Skip("takes three minutes: only with -all")
			}
			t.Parallel()
			w := newWorld(t, tcpPages())
			from(w, 6, func() {})
			e := w.givesUp(peak, "--workers", "1", "--max-retry-time", "100ms")
			t.Logf("%d MB, %s", e.Peak>>20, e.Took)
		})
	}
}
