package ingest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// onTheWire sends what ask says to a server that answers with an empty page, and returns
// the request as such a server reads it.
func onTheWire(t *testing.T, endpoint string, a ask, token *access) *http.Request {
	t.Helper()
	var wire bytes.Buffer
	next := roundTrip(func(req *http.Request) (*http.Response, error) {
		if err := req.Write(&wire); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
	})
	c := newClient(next, &url.URL{Scheme: "http", Host: "api.test"}, "ds_test_key", 10)
	if _, _, err := c.page(t.Context(), endpoint, a, token, &sheet{}); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(&wire)
	req, err := http.ReadRequest(reader)
	if err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(reader); len(rest) != 0 {
		t.Fatalf("%q follows the request", rest)
	}
	if req.Method != http.MethodGet || req.Host != "api.test" || !slices.Equal(req.Header["X-Api-Key"], []string{"ds_test_key"}) ||
		!slices.Equal(req.Header["Cookie"], []string{"dashboard_api_key=ds_test_key"}) || req.ContentLength != 0 {
		t.Fatalf("%s %s to %q with %q", req.Method, req.URL, req.Host, req.Header)
	}
	return req
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// tokensOf returns what the text of JSON consists of.
func tokensOf(text string) (tokens []json.Token) {
	decoder := json.NewDecoder(strings.NewReader(text))
	for decoder.UseNumber(); ; {
		token, err := decoder.Token()
		if err != nil {
			return tokens
		}
		tokens = append(tokens, token)
	}
}

// FuzzCursor: a cursor reaches the API as it came, whatever is in it; and one that is
// renewed differs in the numbers that are meant alone.
func FuzzCursor(f *testing.F) {
	for _, text := range []string{`{"id":"1","ts":1769541612369,"v":2,"exp":1769541731369}`, `{"exp":1.5}`, `{"exp":1,"exp":2}`, "hello"} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(text)), int64(1))
	}
	now := time.UnixMilli(1769541612369)
	f.Fuzz(func(t *testing.T, cursor string, ms int64) {
		if cursor != "" && len(cursor) < 1<<10 {
			req := onTheWire(t, eventsEndpoint, ask{cursor: cursor}, nil)
			if q := req.URL.Query(); req.URL.Path != eventsPath || len(q) != 2 || !slices.Equal(q["cursor"], []string{cursor}) || !slices.Equal(q["limit"], []string{"10"}) {
				t.Fatalf("%q was sent as %q", cursor, req.URL)
			}
		}
		end := json.Number(strconv.FormatInt(now.Add(renewedLife).UnixMilli(), 10))
		renewed, ok := renewCursor(cursor, now)
		checkRewritten(t, cursor, renewed, ok, end)
		moved, both := cursorAt(cursor, ms, now)
		checkRewritten(t, cursor, moved, both, end, json.Number(strconv.FormatInt(ms, 10)))
		if both && !ok {
			t.Errorf("%q can be moved to %q, but not be renewed", cursor, moved)
		}
	})
}

// checkRewritten compares a cursor with what it became: as many numbers may be others as
// are given, and must be those.
func checkRewritten(t *testing.T, before, after string, ok bool, numbers ...json.Number) {
	t.Helper()
	if !ok {
		if after != "" {
			t.Errorf("%q became %q all the same", before, after)
		}
		return
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		text, err := encoding.DecodeString(before)
		if err != nil {
			continue
		}
		changed, err := encoding.DecodeString(after)
		if err != nil {
			t.Fatalf("%q became %q, in another alphabet: %v", before, after, err)
		}
		if !json.Valid(text) {
			return
		}
		was, is := tokensOf(string(text)), tokensOf(string(changed))
		if !json.Valid(changed) || len(was) != len(is) {
			t.Fatalf("%q became %q", text, changed)
		}
		others := 0
		for i := range was {
			if was[i] == is[i] {
				continue
			}
			n, isNumber := is[i].(json.Number)
			if others++; !isNumber || !slices.Contains(numbers, n) || others > len(numbers) {
				t.Fatalf("%q became %q", text, changed)
			}
		}
		return
	}
	t.Errorf("%q became %q though it is no Base64", before, after)
}
