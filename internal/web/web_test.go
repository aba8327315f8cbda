package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/internal/model"
	"datasync/internal/report/figures"
	"datasync/internal/store"
	"datasync/internal/web"
	"datasync/internal/web/tally"
	"datasync/mockserver"
)

// pulled makes a file of events that a pull has stored, and returns its path. It may be called again for more.
func pulled(t *testing.T, path string, events int, count func() model.Tally) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path, Origin: "demo", ToolVersion: "test", Tally: count})
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(mockserver.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	mock := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: events, Shape: mockserver.ShapeLively}, Events: mockserver.Pages{Cap: 1000}})
	if _, err := ingest.Run(t.Context(), ingest.Options{
		Store: s, Transport: mock.Transport(), BaseURL: base, Key: "ds_test_demo", PageSize: 1000, Lookback: time.Hour, MaxWait: time.Minute, MaxRetryTime: time.Minute, Restart: s.OpenedAt() > 0,
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// source is a file, and what a test says of its pull.
type source struct {
	path     string
	standing atomic.Pointer[web.Standing]
	windows  []figures.Window
	// uses counts the calls of Use.
	uses atomic.Int64
	used chan struct{} // or nil
}

func (s *source) Use(ctx context.Context, do func(context.Context, string) error) error {
	s.uses.Add(1)
	if s.used != nil {
		s.used <- struct{}{}
	}
	return web.UseFile(ctx, s.path, do)
}

func (s *source) Standing(context.Context) (web.Standing, error) {
	if now := s.standing.Load(); now != nil {
		return *now, nil
	}
	return web.Standing{}, nil
}

func (s *source) Windows(context.Context) ([]figures.Window, error) { return s.windows, nil }

func (s *source) Edition() string { return web.EditionOf(s.path) }

// served is a page that is served.
type served struct {
	*web.Server
	t     *testing.T
	ended chan error
	stop  func()
}

// serve serves a page of the source until the test ends.
func serve(t *testing.T, opts web.Options) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opts.Listener, opts.Document, opts.Policy, opts.File, opts.Version = l, []byte("<!doctype html>the page"), "default-src 'none'", "a.duckdb", "test"
	opts.Timezone, opts.Zone, opts.Scratch, opts.Explain = "UTC", time.UTC, t.TempDir(), func(err error) string { return err.Error() }
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &served{Server: web.New(opts), t: t, ended: make(chan error, 1), stop: cancel}
	go func() { s.ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		s.ended <- nil
	})
	return s
}

// send sends a request with the token; body is JSON, or nil for GET.
func (s *served) send(ctx context.Context, path string, body any) (*http.Response, error) {
	method, data := http.MethodGet, []byte(nil)
	if body != nil {
		method = http.MethodPost
		data, _ = json.Marshal(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.Address()+path, bytes.NewReader(data))
	if err != nil {
		s.t.Fatal(err)
	}
	_, token, _ := strings.Cut(s.URL(), "#")
	r.Header.Set("Authorization", "Bearer "+token)
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
}

// post posts a request and decodes the answer.
func (s *served) post(path string, body, into any) {
	s.t.Helper()
	res, err := s.send(s.t.Context(), path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode == http.StatusOK {
		err = json.Unmarshal(text, into)
	}
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d, %v: %s", path, res.StatusCode, err, text)
	}
}

// line is a line of a stream.
type line struct {
	Kind, ID, HTML, Chip, State, Trouble string
	Exit                                 *int
	Badge                                struct{ Tone, Text string }
	Batch, Events                        *int64
	Percent                              *int64
	Left                                 *float64 `json:"left_s"`
	Rate                                 *float64
	Live, Stale                          bool
	Order                                int
	Endpoints                            []struct {
		Name, State, Reason string
		Events              int64
	}
	Shards []struct{ Number, Events int64 }
}

// reading is an open stream.
type reading struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
	// sections are the newest by id, state is the last one.
	sections map[string]line
	state    line
}

// stream opens a stream, until the test ends.
func (s *served) stream() *reading {
	s.t.Helper()
	res, err := s.send(s.t.Context(), "/stream", nil)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatal(res, err)
	}
	r := &reading{t: s.t, lines: bufio.NewScanner(res.Body), sections: map[string]line{}, close: func() { _ = res.Body.Close() }}
	r.lines.Buffer(nil, 16<<20)
	s.t.Cleanup(r.close)
	return r
}

// next reads a line; false at the end.
func (r *reading) next() bool {
	r.t.Helper()
	if !r.lines.Scan() {
		return false
	}
	var l line
	if err := json.Unmarshal(r.lines.Bytes(), &l); err != nil {
		r.t.Fatalf("%v: %s", err, r.lines.Bytes())
	}
	switch l.Kind {
	case "state":
		r.state = l
	case "section":
		r.sections[l.ID] = l
	case "chip":
		section := r.sections[l.ID]
		section.Chip, section.Stale = l.Chip, l.Stale
		r.sections[l.ID] = section
	default:
		r.t.Fatalf("a line of kind %q", l.Kind)
	}
	return true
}

// await reads lines until the condition holds.
func (r *reading) await(what string, holds func() bool) {
	r.t.Helper()
	for !holds() {
		if !r.next() {
			r.t.Fatalf("the stream ended before %s: %+v", what, r.state)
		}
	}
}

// TestStreamOfAFile: the stream of a file that no pull has tells its state and sends all sections once; when the file
// changes, it sends those that differ.
func TestStreamOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 3000, nil)
	src := &source{path: path}
	r := serve(t, web.Options{Source: src}).stream()
	all := []string{"days", "hours", "week", "errors", "windows", "users", "sessions", "funnel", "retention", "pages", "devices", "pull", "rejects", "fingerprint", "definitions"}
	arrived := func() bool {
		for _, id := range all {
			if r.sections[id].HTML == "" {
				return false
			}
		}
		return r.state.Batch != nil
	}
	r.await("all sections", arrived)
	if st := r.state; st.State != "idle" || *st.Events != 3000 || st.Badge.Tone != "good" || !strings.HasPrefix(st.Badge.Text, "Complete as of ") || st.Exit != nil {
		t.Errorf("%+v", st)
	}
	batch := *r.state.Batch
	r.await("chips", func() bool { return r.sections["days"].Chip == fmt.Sprint("batch ", batch) })
	order := -1
	for _, id := range all {
		if s := r.sections[id]; s.Order <= order || s.Live || !strings.HasPrefix(s.HTML, `<section class="part" id="`+id+`"`) || strings.Contains(s.HTML, `class="chip"`) {
			t.Errorf("section %s at %d after %d, live %v: %.100s", id, s.Order, order, s.Live, s.HTML)
		}
		order = r.sections[id].Order
	}
	days := r.sections["days"].HTML
	pulled(t, path, 4000, nil)
	r.await("the new events", func() bool {
		return r.state.Events != nil && *r.state.Events == 4000 && r.sections["days"].HTML != days
	})
}

// TestStreamOfAPull: while a pull of another process runs, the stream has its progress, and figures say which batch
// they are of.
func TestStreamOfAPull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 3000, nil)
	src := &source{path: path}
	now := web.Standing{State: web.Waiting, Batch: 900, Events: 5000, Walked: 50, Total: 200, Left: 90 * time.Second,
		Endpoints: []web.Endpoint{{Name: "events", State: web.EndpointWaiting, Reason: "answered 429", Until: time.Now().Add(time.Hour), Read: 40}, {Name: "feed", State: web.EndpointOpen, Read: 10}},
		Parts:     []web.Part{{Number: 1, Walked: 30}, {Number: 2, Walked: 20}}}
	src.standing.Store(&now)
	r := serve(t, web.Options{Source: src}).stream()
	r.await("the figures", func() bool { return r.state.State == "waiting" && r.sections["users"].HTML != "" })
	if st := r.state; *st.Batch != 900 || *st.Events != 5000 || *st.Percent != 25 || *st.Left != 90 || len(st.Endpoints) != 2 || st.Endpoints[0].Name != "events endpoint" ||
		st.Endpoints[0].State != "waiting" || st.Endpoints[0].Reason != "answered 429" || st.Endpoints[0].Events != 40 || len(st.Shards) != 2 {
		t.Errorf("%+v", st)
	}
	r.await("an age", func() bool {
		chip := r.sections["users"].Chip
		return strings.HasPrefix(chip, "as of batch ") && strings.HasSuffix(chip, " ago")
	})
	uses := src.uses.Load()
	next := now
	next.Batch, next.Events = 901, 6000
	next.Endpoints = append([]web.Endpoint(nil), now.Endpoints...)
	next.Endpoints[0].Read = 4040
	src.standing.Store(&next)
	r.await("the rate", func() bool { return *r.state.Batch == 901 && r.state.Rate != nil && r.sections["rate"].HTML != "" })
	if src.uses.Load() != uses {
		t.Error("figures were read again within a minute of a pull")
	}
	src.standing.Store(nil)
	r.await("the end of the pull", func() bool { return r.state.State == "idle" && r.state.Events != nil && *r.state.Events == 3000 })
}

// TestEndOfAPull: the last lines have the exit code and the figures of all events, and the stream ends.
func TestEndOfAPull(t *testing.T) {
	web.SetFirstReading(t, time.Hour)
	path := filepath.Join(t.TempDir(), "a.duckdb")
	src := &source{path: path}
	src.standing.Store(&web.Standing{State: web.Pulling, Endpoints: []web.Endpoint{{Name: "events", State: web.EndpointOpen}}})
	c := tally.New(time.UTC)
	c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	s := serve(t, web.Options{Source: src, Counters: c})
	r := s.stream()
	r.await("the charts of no event", func() bool { return r.sections["days"].HTML != "" && r.state.State == "pulling" })
	if d := r.sections["days"]; !d.Live || d.Chip != "live" || r.state.Badge.Text != "Incomplete: the pull has just begun" {
		t.Errorf("%+v, %+v", d, r.state)
	}
	pulled(t, path, 3000, c.Batch)
	batch, _, _ := c.Batches()
	r.await("the counts", func() bool { return r.sections["days"].Chip == fmt.Sprintf("batch %d · live", batch) })
	if r.sections["users"].HTML != "" {
		t.Error("figures were read at the beginning of a new file")
	}
	for _, id := range []string{"days", "hours", "week", "errors", "pages", "devices"} {
		if !r.sections[id].Live {
			t.Errorf("%s is not live", id)
		}
	}
	if r.sections["windows"].HTML != "" {
		t.Error("windows are shown before they are known")
	}
	src.standing.Store(&web.Standing{Batch: -1, Events: -1})
	s.End(t.Context(), 4, time.Hour)
	for r.next() {
	}
	if st := r.state; st.State != "ended" || st.Exit == nil || *st.Exit != 4 || st.Events == nil || *st.Events != 3000 || st.Badge.Tone != "good" {
		t.Errorf("%+v", st)
	}
	if u, d := r.sections["users"], r.sections["days"]; u.HTML == "" || u.Live || d.Chip != fmt.Sprint("batch ", batch) {
		t.Errorf("at the end: %v, %q, %q", u.HTML != "", u.Chip, d.Chip)
	}
}

// TestEndWithoutTime: figures that would take too long are not read at the end, and those that are there stay.
func TestEndWithoutTime(t *testing.T) {
	web.SetFirstReading(t, time.Hour)
	path := filepath.Join(t.TempDir(), "a.duckdb")
	c := tally.New(time.UTC)
	c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	pulled(t, path, 3000, c.Batch)
	src := &source{path: path}
	src.standing.Store(&web.Standing{State: web.Pulling})
	s := serve(t, web.Options{Source: src, Counters: c})
	r := s.stream()
	r.await("the counts", func() bool { return r.sections["days"].HTML != "" && r.state.Events != nil && *r.state.Events == 3000 })
	s.End(t.Context(), 0, 0)
	for r.next() {
	}
	if r.state.State != "ended" || *r.state.Exit != 0 || r.state.Badge.Tone != "good" || src.uses.Load() != 0 || r.sections["days"].HTML == "" {
		t.Errorf("%+v, the file was opened %d times", r.state, src.uses.Load())
	}
}

// TestClientsAreBounded: there is a limit to streams, and a stream that ends makes room.
func TestClientsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 100, nil)
	s := serve(t, web.Options{Source: &source{path: path}})
	var open []*reading
	for range web.MaxClients {
		open = append(open, s.stream())
	}
	res, err := s.send(t.Context(), "/stream", nil)
	if err != nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	open[0].close()
	for {
		res, err := s.send(t.Context(), "/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
	}
}

// TestMissingFile: the stream says the error, and goes on when the file is there.
func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	r := serve(t, web.Options{Source: &source{path: path}}).stream()
	r.await("the error", func() bool { return r.state.Trouble != "" })
	if r.state.State != "idle" || r.state.Batch != nil {
		t.Errorf("%+v", r.state)
	}
	pulled(t, path, 100, nil)
	r.await("the file", func() bool { return r.state.Trouble == "" && r.sections["days"].HTML != "" })
}

// TestEndOfTheServer: a server that a signal ends tells its clients.
func TestEndOfTheServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pulled(t, path, 100, nil)
	s := serve(t, web.Options{Source: &source{path: path}})
	r := s.stream()
	r.await("a section", func() bool { return r.sections["days"].HTML != "" })
	s.stop()
	for r.next() {
	}
	if r.state.State != "ended" || r.state.Exit != nil {
		t.Errorf("%+v", r.state)
	}
}
