package api

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// onTheWire sends what ask says to a server that answers with an empty page, and returns
// the request as such a server reads it.
func onTheWire(t *testing.T, endpoint string, a Request, token *Access) *http.Request {
	t.Helper()
	var wire bytes.Buffer
	next := roundTrip(func(req *http.Request) (*http.Response, error) {
		if err := req.Write(&wire); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
	})
	c := New(next, &url.URL{Scheme: "http", Host: "api.test"}, "ds_test_key", 10)
	if _, _, err := c.Page(t.Context(), endpoint, a, token, &Buffer{}); err != nil {
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

// FuzzCursorIsSent: a cursor reaches the API as it came, whatever is in it.
func FuzzCursorIsSent(f *testing.F) {
	f.Add("eyJpZCI6IjEiLCJ0cyI6MTc2OTU0MTYxMjM2OX0=")
	f.Fuzz(func(t *testing.T, cursor string) {
		if cursor == "" || len(cursor) >= 1<<10 {
			return
		}
		req := onTheWire(t, Events, Request{Cursor: cursor}, nil)
		if q := req.URL.Query(); req.URL.Path != eventsPath || len(q) != 2 || !slices.Equal(q["cursor"], []string{cursor}) || !slices.Equal(q["limit"], []string{"10"}) {
			t.Fatalf("%q was sent as %q", cursor, req.URL)
		}
	})
}
