package ingest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/internal/model"
	"datasync/mockserver"
)

// onALink is a server of 30 pages of about 85 KB, behind a link of 0.5 MB/s.
func onALink(compress bool) mockserver.Options {
	return mockserver.Options{
		Data:   mockserver.DataOptions{Events: 7500, DirtyEvery: 50, DirtyKinds: storable(), TieEvery: 900, TieSize: 40},
		Events: mockserver.Pages{Cap: 250}, Feed: mockserver.Pages{Cap: 250},
		Gzip: compress, Rate: 5e5,
	}
}

// storable are the kinds of dirt that make no reject: pages with rejects are read twice.
func storable() (kinds []mockserver.Malformed) {
	for _, kind := range mockserver.AllMalformed() {
		if !slices.Contains(mockserver.RejectedMalformed(), kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// howAsked lists the requests to an endpoint for pages: "g" for one that accepts gzip,
// "p" for a plain one, in capitals where the page came compressed.
func (b *bench) howAsked(e mockserver.Endpoint) string {
	var asked strings.Builder
	for _, entry := range b.server.Log() {
		if entry.Endpoint == e {
			letter := map[bool]string{true: "g", false: "p"}[entry.AcceptsGzip]
			if entry.Gzip {
				letter = strings.ToUpper(letter)
			}
			asked.WriteString(letter)
		}
	}
	return asked.String()
}

// A pull over a slow link asks for gzip, is faster by it, and stores the same.
func TestPullCompressed(t *testing.T) {
	var stored [2]any
	var took [2]time.Duration
	for i, compress := range []bool{false, true} {
		withOneWalk(t, fmt.Sprint("gzip: ", compress), onALink(compress), func(b *bench) {
			took[i] = b.mustPull().Took
			rejects := slices.SortedFunc(slices.Values(b.store.Rejects()), func(x, y model.Reject) int { return strings.Compare(x.Key, y.Key) })
			stored[i] = []any{b.store.Events(), rejects}
			want := "ppppg" + strings.Repeat("p", 25)
			if compress {
				want = "pppp" + strings.Repeat("G", 26)
			}
			if got := b.howAsked(mockserver.Events); got != want {
				b.t.Errorf("asked %s; want %s", got, want)
			}
		})
	}
	if !reflect.DeepEqual(stored[0], stored[1]) {
		t.Error("compressed pages are stored otherwise")
	}
	// It is the bubble's time, which only the link takes.
	if took[1] > took[0]/2 {
		t.Errorf("took %v compressed, %v plain", took[1], took[0])
	}
}

// Where the link takes no time, gzip is never asked for, however long the waits between
// pages are, nor where pages are tiny.
func TestPullThatNeedsNoGzip(t *testing.T) {
	fast, tiny := onALink(true), onALink(true)
	fast.Rate = 0
	fast.Events.RateLimit = mockserver.RateLimit{Requests: 4, Window: 30 * time.Second, Named: mockserver.RetryAfterSeconds}
	fast.Feed.RateLimit = fast.Events.RateLimit
	tiny.Events.Cap = 150
	for name, o := range map[string]mockserver.Options{"fast": fast, "tiny pages": tiny} {
		inBubble(t, name, o, func(b *bench) {
			b.mustPull()
			if asked := b.howAsked(mockserver.Events) + b.howAsked(mockserver.Feed); strings.Trim(asked, "p") != "" {
				b.t.Errorf("asked %s", asked)
			}
		})
	}
}

// The endpoints may lie behind different servers: each is found out by itself. A
// request that is told to wait says nothing.
func TestCompressionOfEachEndpoint(t *testing.T) {
	o := onALink(true)
	o.Data.Events = 15_000
	o.Events.RateLimit = mockserver.RateLimit{Requests: 10, Window: 30 * time.Second, Named: mockserver.RetryAfterBody}
	withOneWalk(t, "", o, func(b *bench) {
		b.mustPull()
		for _, e := range []mockserver.Endpoint{mockserver.Events, mockserver.Feed} {
			if asked := b.howAsked(e); !strings.HasPrefix(asked, "ppppGG") || strings.Trim(asked[4:], "Gg") != "" {
				b.t.Errorf("%v was asked %s", e, asked)
			}
		}
		if limited := b.server.Stats().Events.Limited; limited == 0 {
			b.t.Error("no request was told to wait")
		}
	})
}

// zipped compresses a body into one gzip member.
func zipped(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(body)
	_ = w.Close()
	return out.Bytes()
}

// Whatever a server makes of Accept-Encoding, the pull is exact. A request that fails by
// it goes plain the next time, and where nothing is gained that way is not tried soon
// again.
func TestPullFromServersThatDoGzipWrongly(t *testing.T) {
	half := func(body []byte) []byte { return body[:len(body)/2] }
	for _, tc := range []struct {
		name     string
		status   int
		encoding string
		body     func(plain []byte) []byte
	}{
		{"plain text that is called gzip", 200, "gzip", func(b []byte) []byte { return b }},
		{"cut off", 200, "gzip", func(b []byte) []byte { return half(zipped(b)) }},
		{"garbage behind", 200, "gzip", func(b []byte) []byte { return append(zipped(b), "garbage"...) }},
		{"nothing at all", 200, "gzip", func([]byte) []byte { return nil }},
		{"compressed twice", 200, "gzip", func(b []byte) []byte { return zipped(zipped(b)) }},
		{"half a page", 200, "gzip", func(b []byte) []byte { return zipped(half(b)) }},
		{"another encoding", 200, "br", func(b []byte) []byte { return b }},
		{"refused", 406, "", func([]byte) []byte { return []byte(`{"error":"Not Acceptable"}`) }},
		{"an error", 500, "", func([]byte) []byte { return []byte(`{}`) }},
		{"plain", 200, "", func(b []byte) []byte { return b }},
		{"several members", 200, "gzip", func(b []byte) []byte { return append(zipped(half(b)), zipped(b[len(b)/2:])...) }},
	} {
		withOneWalk(t, tc.name, onALink(false), func(b *bench) {
			real := b.opts.Transport
			b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				resp, err := real.RoundTrip(r)
				if err != nil || r.Header.Get("Accept-Encoding") == "" {
					return resp, err
				}
				plain, err := io.ReadAll(resp.Body)
				err = errors.Join(err, resp.Body.Close())
				body := tc.body(plain)
				resp.StatusCode, resp.ContentLength = tc.status, int64(len(body))
				resp.Header.Del("Content-Length")
				if tc.encoding != "" {
					resp.Header.Set("Content-Encoding", tc.encoding)
				}
				resp.Body = io.NopCloser(bytes.NewReader(body))
				return resp, err
			})
			b.mustPull()
			asked := b.howAsked(mockserver.Events)
			if !strings.HasPrefix(asked, "ppppgp") || strings.Count(asked, "g") > 2 {
				b.t.Errorf("asked %s", asked)
			}
		})
	}
}

// Compressed answers that are cut off, broken or held up on the way, at any time.
func TestPullCompressedOutlastsFaults(t *testing.T) {
	for seed := range uint64(5) {
		o := onALink(true)
		o.FaultSeed = seed
		for _, f := range []mockserver.Fault{
			mockserver.Clip(20_000), mockserver.Trailing("garbage"), mockserver.Truncate(30_000), mockserver.ResetAfter(500),
			mockserver.Status(503), mockserver.Header("Content-Encoding", "gzip"), mockserver.Header("Content-Encoding", "br"), mockserver.Stall(100),
		} {
			o.Random = append(o.Random, mockserver.RandomFault{Rate: 0.03, Fault: f})
		}
		synctest.Test(t, func(t *testing.T) { newBench(t, o).mustPull() })
	}
}
