package cli_test

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestTLS: a server gets a request only if its certificate is valid and it speaks TLS 1.2 or later.
func TestTLS(t *testing.T) {
	binary := harness.Program(t)
	for _, tc := range []struct {
		name    string
		host    string
		trusted bool
		most    uint16 // TLS version
		code    int
		said    string
	}{
		{"trusted", "127.0.0.1", true, 0, 0, ""},
		{"TLS 1.2", "127.0.0.1", true, tls.VersionTLS12, 0, ""},
		{"TLS 1.1", "127.0.0.1", true, tls.VersionTLS11, 4, "protocol version not supported"},
		{"signed by an unknown authority", "127.0.0.1", false, 0, 4, "certificate signed by unknown authority"},
		{"another host's", "localhost", true, 0, 4, "not localhost"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var requests atomic.Int64
			api := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 100}})
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				api.ServeHTTP(w, r)
			}))
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tc.most}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			folder := t.TempDir()
			roots := filepath.Join(t.TempDir(), "roots.pem")
			text := []byte{}
			if tc.trusted {
				text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			}
			if err := os.WriteFile(roots, text, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("SSL_CERT_FILE", roots)
			t.Setenv("SSL_CERT_DIR", t.TempDir())
			base := strings.Replace(server.URL, "127.0.0.1", tc.host, 1)
			r := harness.Run(t.Context(), t, binary, folder, base, "pull", "--quiet", "--max-retry-time", "1s")
			if r.Code != tc.code || !strings.Contains(r.Err, tc.said) || (requests.Load() > 0) != (tc.code == 0) {
				t.Errorf("%+v after %d requests, want exit %d and %q", r, requests.Load(), tc.code, tc.said)
			}
		})
	}
}

// TestProxies: a proxy of the environment carries https as a tunnel, and nothing else.
func TestProxies(t *testing.T) {
	binary := harness.Program(t)
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.Write(io.Discard)
		asked.Store(fmt.Sprint(r.Method, " ", r.URL, r.Header))
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	// Loopback addresses use no proxy; this is none.
	_, base := harness.Serve(t, mockserver.Options{Data: mockserver.DataOptions{Events: 100}})
	base = strings.Replace(base, "127.0.0.1", "0.0.0.0", 1)
	for _, tc := range []struct {
		name, base, proxy string
		code              int
		asked             string
	}{
		{"http", base, proxy.URL, 0, ""},
		{"https", strings.Replace(base, "http:", "https:", 1), proxy.URL, 4, "CONNECT "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked.Store("")
			for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
				t.Setenv(name, tc.proxy)
			}
			t.Setenv("NO_PROXY", "")
			t.Setenv("no_proxy", "")
			folder := t.TempDir()
			r := harness.Run(t.Context(), t, binary, folder, tc.base, "pull", "--quiet", "--max-retry-time", "200ms")
			if got := asked.Load().(string); r.Code != tc.code || !strings.HasPrefix(got, tc.asked) || tc.asked == "" && got != "" {
				t.Errorf("%+v, want exit %d; the proxy was asked for %q, want %q", r, tc.code, got, tc.asked)
			}
			harness.NoSecret(t, []string{"ds_test_canary"}, map[string][]byte{"output": []byte(r.Out + r.Err), "proxy": []byte(asked.Load().(string))}, folder)
		})
	}
}
