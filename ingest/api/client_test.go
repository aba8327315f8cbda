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

func clientOf(t *testing.T, handler http.HandlerFunc) *Client {
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
		{"members that follow each other", "gzip", zip("{a ") + zip("") + zip("page}"), "{a page}", false},
		{"gzip that is none", "gzip", "{a page}", "", true},
		{"gzip of no bytes", "gzip", "", "", true},
		{"gzip cut off", "gzip", zipped[:len(zipped)-9], "", true},
		{"gzip without its checksum", "gzip", zipped[:len(zipped)-8], "", true},
		{"a wrong checksum", "gzip", zipped[:len(zipped)-8] + "wrong" + zipped[len(zipped)-3:], "", true},
		{"garbage behind", "gzip", zipped + "garbage", "", true},
		{"padding behind", "gzip", zipped + "\x00\x00", "", true},
		{"twice", "gzip, gzip", zip(zipped), "", true},
		{"another encoding", "br", "{a page}", "", true},
	} {
		for _, asked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, asked for %v", tc.name, asked), func(t *testing.T) {
				c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
					if got := r.Header.Get("Accept-Encoding"); got != map[bool]string{true: "gzip"}[asked] {
						t.Errorf("asked for %q", got)
					}
					if tc.encoding != "" {
						w.Header().Set("Content-Encoding", tc.encoding)
					}
					_, _ = w.Write([]byte(tc.body))
				})
				c.compression[Events] = &compression{gzip: asked, size: tinyPage}
				body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
				if body != tc.want || errors.Is(err, decode.ErrMalformed) != tc.bad || (err != nil) != tc.bad {
					t.Errorf("%q, %v; want %q", body, err, tc.want)
				}
				if tc.bad && c.compression[Events].ask() {
					t.Error("asks for gzip again")
				}
			})
		}
	}
}

// A connection that breaks is no fault of the compression.
func TestClientTellsABrokenConnectionFromBrokenGzip(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(zip("{a page}")[:15]))
	})
	c.compression[Events] = &compression{gzip: true, size: tinyPage}
	body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
	if body != "" || err == nil || errors.Is(err, decode.ErrMalformed) || !c.compression[Events].ask() {
		t.Errorf("%q, %v; asks for gzip again: %v", body, err, c.compression[Events].ask())
	}
}

// What a page may have counts inflated: of a body that inflates without end no more is
// read, and none of it is kept.
func TestClientStopsABomb(t *testing.T) {
	member, sent := zip(strings.Repeat("\x00", 1<<20)), 0
	over := make(chan struct{})
	c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
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
		t.Error("a terabyte was read")
	}
}

// A page of just as many bytes as it may have is one.
func TestClientReadsTheLargestPage(t *testing.T) {
	member := zip(strings.Repeat(" ", 1<<20))
	c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte(strings.Repeat(member, maxPage>>20)))
	})
	if body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{}); err != nil || len(body) != maxPage {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestClientSendsWhatTheAPIWants(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
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

// No redirect and no path of the API leads the key to somewhere else.
func TestTheKeyStaysAtItsOrigin(t *testing.T) {
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the sink was asked for %s", r.URL) }))
	defer sink.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{sink.URL, "/elsewhere", strings.Replace(sink.URL, "http:", "", 1)} {
			asked := 0
			c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				http.Redirect(w, r, target, status)
			})
			if _, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{}); !errors.Is(err, ErrRedirected) || asked != 1 {
				t.Errorf("%d to %s: %v after %d requests", status, target, err, asked)
			}
		}
	}
	for _, path := range []string{sink.URL + "/feed", strings.Replace(sink.URL, "http:", "", 1)} {
		c := clientOf(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) })
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

// A secret is found however it is spelled, wherever it stands.
func TestSecretsAreFound(t *testing.T) {
	key, token := "ds_test_+Key/01?=", "A-token-of-the-feed"
	s := newSecrets(Secret(key))
	s.add("an-older-token")
	s.add("a-young-token")
	s.add(token)
	texts := []string{key, token, "a-young-token", "the key " + key + "!", strings.ToUpper(token), "https://api.test/?key=" + url.QueryEscape(key), "/" + url.PathEscape(key) + "/", hex.EncodeToString([]byte(key))}
	for before := range 5 {
		for behind := range 5 {
			text := strings.Repeat("\xff", before) + key + strings.Repeat("\xff", behind)
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
				texts = append(texts, "."+encoding.EncodeToString([]byte(text))+".")
			}
		}
	}
	for _, text := range texts {
		if !s.in(text) {
			t.Errorf("%q was not found", text)
		}
	}
	for _, text := range []string{"", "ds_test_", "an-older-token", "the events endpoint", base64.StdEncoding.EncodeToString([]byte("something else"))} {
		if s.in(text) {
			t.Errorf("%q was found", text)
		}
	}
	if newSecrets("any").in("any text") {
		t.Error("what may stand anywhere was found")
	}
	kind := fmt.Errorf("%w: %s", ErrCursorExpired, key)
	if err := s.hide("events", kind); strings.Contains(err.Error(), key) || !errors.Is(err, ErrCursorExpired) {
		t.Errorf("%v", err)
	}
}

// FuzzSecret: no verb of package fmt and no encoder prints a secret that is a value.
func FuzzSecret(f *testing.F) {
	f.Add("key", 'd')
	f.Fuzz(func(t *testing.T, text string, verb rune) {
		if strings.ContainsRune("pwT", verb) {
			return // what is no such thing is printed as it is, which vet finds
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

// The feed's token goes to the feed and nowhere else.
func TestTheTokenGoesToTheFeedAlone(t *testing.T) {
	paths := map[string]int{}
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		paths[r.URL.Path]++
		if token := r.Header.Get("X-Stream-Token"); (token == "ds_test_token") != (r.URL.Path == "/feed") {
			t.Errorf("%s got the token %q", r.URL.Path, token)
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
		t.Errorf("asked were %v", paths)
	}
}
