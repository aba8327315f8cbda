package mockserver_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

// accepting is a request for a page of 50 events with this Accept-Encoding.
func accepting(a *api, encoding string) *http.Request {
	r := a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"50"}})
	r.Header.Set("Accept-Encoding", encoding)
	return r
}

func inflated(t *testing.T, body []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGzip(t *testing.T) {
	for _, tc := range []struct {
		on     bool
		accept string
		want   bool
	}{
		{true, "gzip", true},
		{true, "br, GZIP;q=0.5", true},
		{true, "*", true},
		{true, "br;q=1, *; q=0.1", true},
		{true, "", false},
		{true, "br, deflate", false},
		{true, "gzip;q=0", false},
		{true, "*, gzip; q=0.000", false},
		{true, "*;q=0", false},
		{false, "gzip", false},
	} {
		s := mockserver.New(small(mockserver.Options{Gzip: tc.on}))
		socket := httptest.NewServer(s)
		a := newAPI(t, s)
		_, want := a.events("limit", "50")
		// Go's client must not compress by itself.
		socket.Client().Transport.(*http.Transport).DisableCompression = true
		overTCP := &api{tb: t, client: socket.Client(), base: socket.URL}
		for _, a := range []*api{a, overTCP} {
			resp, body, err := a.do(accepting(a, tc.accept))
			if err != nil || (resp.Header.Get("Content-Encoding") == "gzip") != tc.want || resp.ContentLength != int64(len(body)) {
				t.Fatalf("%+v: %v, %v", tc, err, resp.Header)
			}
			if vary := resp.Header.Get("Vary"); (vary == "Accept-Encoding") != tc.on {
				t.Errorf("%+v: Vary %q", tc, vary)
			}
			if tc.want {
				body = inflated(t, body)
			}
			if cut := bytes.Index(want, []byte(`"pagination"`)); !bytes.Equal(body[:cut], want[:cut]) {
				t.Errorf("%+v: another page", tc)
			}
		}
		socket.Close()
		for _, entry := range s.Log()[1:] {
			if entry.Gzip != tc.want || entry.AcceptsGzip != (tc.want || !tc.on) {
				t.Errorf("%+v: logged %+v", tc, entry)
			}
		}
	}
}

// TestGzipAndFaults: only pages are compressed, and faults of the delivery change the compressed
// bytes.
func TestGzipAndFaults(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{Gzip: true, Scripts: []mockserver.Script{{Faults: []mockserver.Fault{
		mockserver.Status(503), mockserver.HTML(), mockserver.Clip(100), mockserver.Trailing("more"),
	}}}}))
	a := newAPI(t, s)
	for range 2 {
		if resp, body, err := a.do(accepting(a, "gzip")); err != nil || resp.Header.Get("Content-Encoding") != "" || len(body) == 0 {
			t.Errorf("%v, %v", err, resp.Header)
		}
	}
	if _, body, err := a.do(accepting(a, "gzip")); err != nil || len(body) != 100 || body[0] != 0x1f {
		t.Errorf("%v, %d bytes", err, len(body))
	}
	if _, body, err := a.do(accepting(a, "gzip")); err != nil || !bytes.HasSuffix(body, []byte("more")) {
		t.Errorf("%v, %d bytes", err, len(body))
	}
	if _, body, err := a.do(accepting(a, "gzip")); err != nil || !bytes.HasPrefix(inflated(t, body), []byte(`{"data":[`)) {
		t.Errorf("%v, %d bytes", err, len(body))
	}
}

// TestRate: a body takes the link's time for its compressed size.
func TestRate(t *testing.T) {
	for _, compress := range []bool{false, true} {
		for _, rate := range []int64{1000, 1_000_000} {
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t, mockserver.New(small(mockserver.Options{Gzip: compress, Rate: rate, TimeScale: 2})))
				began := time.Now()
				_, body, err := a.do(accepting(a, "gzip"))
				want := time.Duration(float64(len(body)) / float64(2*rate) * float64(time.Second))
				if took := time.Since(began); err != nil || (took-want).Abs() > time.Microsecond {
					t.Errorf("%v, %d bytes at %d a second in %v, want %v", err, len(body), rate, took, want)
				}
			})
		}
	}
}

// TestRateOverASocket: a paced body arrives whole over a socket, and ends with its request.
func TestRateOverASocket(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{Rate: 4_000_000}))
	a := newAPI(t, s)
	_, want := a.events("limit", "50")
	socket := httptest.NewServer(s)
	defer socket.Close()
	a = &api{tb: t, client: socket.Client(), base: socket.URL}
	if _, body, err := a.do(accepting(a, "")); err != nil || len(body) != len(want) {
		t.Errorf("%v, %d bytes, want %d", err, len(body), len(want))
	}
	slow := httptest.NewServer(mockserver.New(small(mockserver.Options{Rate: 1})))
	defer slow.Close()
	a = &api{tb: t, client: slow.Client(), base: slow.URL}
	resp, err := a.client.Do(accepting(a, ""))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}
