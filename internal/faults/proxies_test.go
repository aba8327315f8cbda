package faults

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"datasync/internal/e2e/harness"
)

// proxied lets the program reach the API by apiName and through this proxy only.
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

// tunnel is a working proxy. It fails the test where the program sends a secret through it
// unencrypted.
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

// TestProxies: a proxy of the environment carries https as a tunnel and sees no key. A proxy that
// is down, refuses, or intercepts ends the pull with code 4.
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
	for _, c := range harness.Some([]struct {
		fault
		says string
	}{
		{fault{"refuses", answering(403, "no")}, "(HTTPS_PROXY) answered 403"},
		{fault{"wants a password", answering(407, "", "Proxy-Authenticate", "Basic")}, "(HTTPS_PROXY) answered 407"},
		{fault{"has no way", answering(502, "<html>")}, "(HTTPS_PROXY) answered 502"},
		{fault{"redirects", answering(302, "", "Location", "http://127.0.0.1:1/")}, "(HTTPS_PROXY) answered 302"},
		{fault{"closes", hijack("")}, "closed the connection"},
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
			t.Errorf("O1: the error blames the API's address: %v", e)
		}
		if strings.Contains(e.Err, password) {
			t.Errorf("O5: the proxy's password: %v", e)
		}
	})
	run("for plain http", func(t *testing.T, w *world, _ *secured) {
		// A server that gets this gets the key.
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
