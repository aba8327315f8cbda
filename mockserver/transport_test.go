package mockserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

func oneFault(f mockserver.Fault) *mockserver.Server {
	return mockserver.New(small(mockserver.Options{Scripts: []mockserver.Script{{Faults: []mockserver.Fault{f}}}}))
}

func pageRequest(a *api, ctx context.Context) *http.Request {
	return a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"10"}}).WithContext(ctx)
}

// TestTransportObeysContexts: in a bubble, each wait of the transport ends with its request.
func TestTransportObeysContexts(t *testing.T) {
	for _, f := range []mockserver.Fault{
		mockserver.Delay(time.Hour), mockserver.Hang(), mockserver.Stall(10), mockserver.Drip(1, time.Second),
	} {
		t.Run(f.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := oneFault(f)
				a := newAPI(t, s)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				begin := time.Now()
				_, _, err := a.do(pageRequest(a, ctx))
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 5*time.Second {
					t.Errorf("%v after %v", err, time.Since(begin))
				}
				if s.Stats().InFlight != 0 {
					t.Error("the request is still in flight")
				}
			})
		})
	}
	t.Run("done before", func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{}))
		a := newAPI(t, s)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("given up"))
		if _, _, err := a.do(pageRequest(a, ctx)); err == nil || !strings.Contains(err.Error(), "given up") || s.Stats().Events.Requests != 0 {
			t.Errorf("%v, %+v", err, s.Stats())
		}
	})
}

func TestTransportDrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, oneFault(mockserver.Drip(1000, time.Second)))
		begin := time.Now()
		_, body, err := a.do(pageRequest(a, t.Context()))
		if want := time.Duration((len(body)+999)/1000) * time.Second; err != nil || time.Since(begin) != want {
			t.Errorf("%v, %d bytes in %v, want %v", err, len(body), time.Since(begin), want)
		}
	})
}

// TestTransportBodyClosedDuringRead: Close ends a Read that waits.
func TestTransportBodyClosedDuringRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oneFault(mockserver.Stall(10))
		a := newAPI(t, s)
		resp, err := a.client.Do(pageRequest(a, t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			n, err := io.Copy(io.Discard, resp.Body)
			if n != 10 || err == nil {
				t.Errorf("read %d bytes, %v", n, err)
			}
		})
		synctest.Wait()
		if s.Stats().InFlight != 1 {
			t.Error("the request is not in flight")
		}
		resp.Body.Close()
		resp.Body.Close()
		wg.Wait()
		if _, err := resp.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("read after close: %v", err)
		}
		if s.Stats().InFlight != 0 {
			t.Error("the request is still in flight")
		}
	})
}

// TestTransportBuffersAreNotShared: pages share buffers, but not while one is read.
func TestTransportBuffersAreNotShared(t *testing.T) {
	a := newAPI(t, mockserver.New(small(mockserver.Options{})))
	_, want := a.events("limit", "50")
	cut := bytes.Index(want, []byte(`"pagination"`))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				_, body, err := a.do(pageRequest(a, t.Context()))
				if err != nil || !json.Valid(body) {
					t.Errorf("%v: %.100s", err, body)
					return
				}
				r := a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"50"}})
				if _, body, err = a.do(r); err != nil || !bytes.Equal(body[:cut], want[:cut]) {
					t.Errorf("%v: the page differs", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestServe(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	a := newAPI(t, s)
	a.base, a.client = "http://"+l.Addr().String(), &http.Client{Transport: &http.Transport{}}
	defer a.client.CloseIdleConnections()
	checkWalk(t, s, a.walk(mockserver.EventsPath, 30, ""))
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, _, err := a.do(pageRequest(a, t.Context())); err == nil {
		t.Error("the server still answers")
	}
}

// TestServeEndsHangingRequests: a hanging request does not keep Serve from ending.
func TestServeEndsHangingRequests(t *testing.T) {
	s := oneFault(mockserver.Stall(10))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	a := newAPI(t, s)
	a.base, a.client = "http://"+l.Addr().String(), &http.Client{Transport: &http.Transport{}}
	defer a.client.CloseIdleConnections()
	resp, err := a.client.Do(pageRequest(a, t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cancel()
	if n, err := io.Copy(io.Discard, resp.Body); n != 10 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{Events: mockserver.Pages{CacheTTL: time.Hour}}))
	a := newAPI(t, s)
	for i := range 1100 {
		a.events("limit", "1", "until", strconv.Itoa(i))
	}
	for i := range 1100 {
		a.events("limit", "1", "until", strconv.Itoa(i))
	}
	if hits := s.Stats().CacheHits; hits == 0 || hits > 1024 {
		t.Errorf("%d hits", hits)
	}
}
