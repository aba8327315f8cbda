package api

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"datasync/ingest/decode"
)

// newTestClient returns a client of a server with that handler.
func newTestClient(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := newHTTPTransport()
	t.Cleanup(transport.CloseIdleConnections)
	return New(transport, base, "ds_test_key", 100)
}

// zip compresses a text into one gzip member.
func zip(text string) string {
	var zipped strings.Builder
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return zipped.String()
}

func TestClientReadsBodies(t *testing.T) {
	zipped := zip("{a page}")
	for _, tc := range []struct {
		name, encoding, body, want string
		bad                        bool
	}{
		{"plain", "", "{a page}", "{a page}", false},
		{"identity", "identity", "{a page}", "{a page}", false},
		{"gzip", "gzip", zipped, "{a page}", false},
		{"gzip by its old name", "X-GZip", zipped, "{a page}", false},
		{"consecutive members", "gzip", zip("{a ") + zip("") + zip("page}"), "{a page}", false},
		{"gzip that is plain text", "gzip", "{a page}", "", true},
		{"gzip of no bytes", "gzip", "", "", true},
		{"gzip cut off", "gzip", zipped[:len(zipped)-9], "", true},
		{"gzip without its checksum", "gzip", zipped[:len(zipped)-8], "", true},
		{"a wrong checksum", "gzip", zipped[:len(zipped)-8] + "wrong" + zipped[len(zipped)-3:], "", true},
		{"garbage after it", "gzip", zipped + "garbage", "", true},
		{"padding after it", "gzip", zipped + "\x00\x00", "", true},
		{"twice", "gzip, gzip", zip(zipped), "", true},
		{"another encoding", "br", "{a page}", "", true},
	} {
		for _, wantGzip := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, requested %v", tc.name, wantGzip), func(t *testing.T) {
				c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
					if got := r.Header.Get("Accept-Encoding"); (got == "gzip") != wantGzip || !wantGzip && got != "" {
						t.Errorf("Accept-Encoding is %q", got)
					}
					if tc.encoding != "" {
						w.Header().Set("Content-Encoding", tc.encoding)
					}
					_, _ = w.Write([]byte(tc.body))
				})
				c.compression[Events] = &compression{gzip: wantGzip, lastSize: minMeasuredPage}
				body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
				if body != tc.want || errors.Is(err, decode.ErrMalformed) != tc.bad || (err != nil) != tc.bad {
					t.Errorf("%q, %v; want %q", body, err, tc.want)
				}
				if tc.bad && c.compression[Events].wantsGzip() {
					t.Error("the next request wants gzip again")
				}
			})
		}
	}
}

// A broken connection does not disable gzip.
func TestBrokenConnectionKeepsGzip(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(zip("{a page}")[:15]))
	})
	c.compression[Events] = &compression{gzip: true, lastSize: minMeasuredPage}
	body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
	if body != "" || err == nil || errors.Is(err, decode.ErrMalformed) || !c.compression[Events].wantsGzip() {
		t.Errorf("%q, %v; the next request wants gzip: %v", body, err, c.compression[Events].wantsGzip())
	}
}

// The limit of a page counts decompressed bytes: the client stops reading an endless body there, and
// keeps none of it.
func TestClientStopsDecompressionBomb(t *testing.T) {
	member, sent := zip(strings.Repeat("\x00", 1<<20)), 0
	over := make(chan struct{})
	c := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(over)
		w.Header().Set("Content-Encoding", "gzip")
		for ; sent < 1<<20; sent++ {
			if _, err := w.Write([]byte(member)); err != nil {
				return
			}
		}
	})
	body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
	if body != "" || !errors.Is(err, decode.ErrMalformed) || !strings.Contains(err.Error(), "more than 128 MiB") {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	<-over
	if sent == 1<<20 {
		t.Error("the client read a terabyte")
	}
}

// A page of exactly the maximum size is accepted.
func TestClientReadsLargestPage(t *testing.T) {
	member := zip(strings.Repeat(" ", 1<<20))
	c := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte(strings.Repeat(member, maxPage>>20)))
	})
	if body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{}); err != nil || len(body) != maxPage {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestClientSendsRequiredHeaders(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("dashboard_api_key")
		if err != nil || cookie.Value != "ds_test_key" || r.Header.Get("X-API-Key") != "ds_test_key" {
			t.Errorf("headers %v", r.Header)
		}
		if strings.HasPrefix(r.UserAgent(), "Go-") {
			t.Errorf("user agent %q", r.UserAgent())
		}
		_, _ = fmt.Fprint(w, r.URL.RequestURI())
	})
	cursor := "a&b=c \"\n\x00é"
	body, _, err := c.Page(t.Context(), Feed, Request{Cursor: cursor}, &Access{path: "/feed", token: "t", header: "X-Stream-Token"}, &Buffer{})
	if want := "/feed?cursor=" + url.QueryEscape(cursor) + "&limit=100"; err != nil || body != want {
		t.Errorf("%q, %v; want %q", body, err, want)
	}
}

// Neither a redirect nor a path named by the API sends the key to another origin.
func TestKeyStaysAtItsOrigin(t *testing.T) {
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the sink received a request for %s", r.URL) }))
	defer sink.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{sink.URL, "/elsewhere", strings.Replace(sink.URL, "http:", "", 1)} {
			requests := 0
			c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
				requests++
				http.Redirect(w, r, target, status)
			})
			if _, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{}); !errors.Is(err, ErrRedirected) || requests != 1 {
				t.Errorf("%d to %s: %v after %d requests", status, target, err, requests)
			}
		}
	}
	for _, path := range []string{sink.URL + "/feed", strings.Replace(sink.URL, "http:", "", 1)} {
		c := newTestClient(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the server received a request for %s", r.URL) })
		if _, _, err := c.Page(t.Context(), Feed, Request{}, &Access{path: path, token: "t", header: "X-T"}, &Buffer{}); err == nil {
			t.Errorf("a request went to %s", path)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	key := Secret("ds_test_key")
	opts := struct {
		PageSize int
		Key      Secret
	}{10, key}
	for _, verb := range "vsqxXdtTUc" { // vet refuses p and w
		for _, flags := range []string{"", "+", "#", "20", "-20."} {
			for _, v := range []any{key, &key, struct{ K Secret }{key}, []Secret{key}, map[Secret]Secret{key: key}, opts, &opts} {
				text := fmt.Sprintf("%"+flags+string(verb), v)
				if strings.Contains(text, "ds_test") || strings.Contains(strings.ToLower(text), "64735f74657374") {
					t.Errorf("%%%s%c gives %s", flags, verb, text)
				}
			}
		}
	}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Error("refused", "key", key, "of", struct{ Key Secret }{key})
	}
	text, err := json.Marshal(map[string]any{"key": key})
	if err != nil || strings.Contains(log.String()+string(text)+key.String(), "ds_test") || strings.Count(log.String(), redacted) != 4 {
		t.Errorf("%s%s, %v", log.String(), text, err)
	}
}

// A secret is found in each encoding and at each offset.
func TestSecretsAreFound(t *testing.T) {
	key, token := "ds_test_+Key/01?=", "A-token-of-the-feed"
	s := newSecrets(Secret(key))
	s.add("an-older-token")
	s.add("a-young-token")
	s.add(token)
	texts := []string{key, token, "a-young-token", "the key " + key + "!", strings.ToUpper(token), "https://api.test/?key=" + url.QueryEscape(key), "/" + url.PathEscape(key) + "/", hex.EncodeToString([]byte(key))}
	for before := range 5 {
		for after := range 5 {
			text := strings.Repeat("\xff", before) + key + strings.Repeat("\xff", after)
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
				texts = append(texts, "."+encoding.EncodeToString([]byte(text))+".")
			}
		}
	}
	for _, text := range texts {
		if !s.containedIn(text) {
			t.Errorf("%q was not found", text)
		}
	}
	for _, text := range []string{"", "ds_test_", "an-older-token", "the events endpoint", base64.StdEncoding.EncodeToString([]byte("something else"))} {
		if s.containedIn(text) {
			t.Errorf("%q contains a secret, by mistake", text)
		}
	}
	if newSecrets("any").containedIn("any text") {
		t.Error("a secret too short to look for was found")
	}
	kind := fmt.Errorf("%w: %s", ErrCursorExpired, key)
	if err := s.redact("events", kind); strings.Contains(err.Error(), key) || !errors.Is(err, ErrCursorExpired) {
		t.Errorf("%v", err)
	}
}

// FuzzSecret: no verb of package fmt and no encoder prints a Secret.
func FuzzSecret(f *testing.F) {
	f.Add("key", 'd')
	f.Fuzz(func(t *testing.T, text string, verb rune) {
		if strings.ContainsRune("pwT", verb) {
			return // vet finds these, which print the value
		}
		key := Secret("ds_test_" + text)
		var b bytes.Buffer
		for _, format := range []string{"%" + string(verb), "%+" + string(verb), "%#20.3" + string(verb)} {
			_, _ = fmt.Fprintf(&b, format, key)
			_, _ = fmt.Fprintf(&b, format, []any{key, struct{ K Secret }{key}, map[Secret]*Secret{key: &key}})
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			slog.New(handler).Info("it", "key", key, "in", map[string]Secret{"k": key})
		}
		if err := json.NewEncoder(&b).Encode([]any{key, struct{ K *Secret }{&key}}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "ds_test_") || strings.Contains(b.String(), fmt.Sprintf("%x", "ds_test_")) {
			t.Errorf("%q", b.String())
		}
	})
}

// Only requests to the feed carry its token.
func TestTokenGoesOnlyToFeed(t *testing.T) {
	paths := map[string]int{}
	client := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		paths[r.URL.Path]++
		if token := r.Header.Get("X-Stream-Token"); (token == "ds_test_token") != (r.URL.Path == "/feed") {
			t.Errorf("%s received the token %q", r.URL.Path, token)
		}
		if r.URL.Path == accessPath {
			_, _ = fmt.Fprint(w, `{"streamAccess":{"endpoint":"/feed","token":"ds_test_token","expiresIn":300,"tokenHeader":"X-Stream-Token"}}`)
		}
	})
	for range 2 {
		token, err := client.Access(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for endpoint, token := range map[string]*Access{Events: nil, Feed: token} {
			if _, _, err := client.Page(t.Context(), endpoint, Request{}, token, &Buffer{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(paths) != 3 {
		t.Errorf("the requests went to %v", paths)
	}
}
