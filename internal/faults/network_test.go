package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// peak is the most memory, in MB, of a pull with small pages. peakOfLarge is that of a pull which
// gets more than the largest page: one walk may hold 128 MiB of text, and each other walk half as
// much.
const (
	peak        = 200
	peakOfLarge = 400
	peakOfFour  = peakOfLarge + 3*64
)

// outlasts fails the test where a pull does not survive a fault that passes.
func (w *world) outlasts(megabytes int64, options ...string) {
	w.Helper()
	e := w.run(command{Args: append([]string{"pull"}, options...)})
	w.endsWith(e, 0)
	w.peaksBelow(e, megabytes)
	w.isWhole()
}

// givesUp fails the test if a pull does not end as resumable because of a fault that stays. It also
// fails if the next pull does not resume without the fault.
func (w *world) givesUp(megabytes int64, options ...string) harness.Result {
	w.Helper()
	e := w.run(pull(options...))
	w.endsWith(e, 4)
	w.says(e, "the same command")
	w.peaksBelow(e, megabytes)
	w.recovers()
	return e
}

// answering responds with this status, body and headers.
func answering(status int, body string, header ...string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			rw.Header().Set(header[i], header[i+1])
		}
		rw.WriteHeader(status)
		if body != "" {
			_, _ = io.WriteString(rw, body)
		}
	}
}

// TestEachRequestFails: the nth request of a pull fails, for each n. If it fails alone, the pull
// survives; if all later ones fail too, the pull ends as resumable.
func TestEachRequestFails(t *testing.T) {
	t.Parallel()
	o := tcpPages()
	o.Data.Events = 1000
	o.Events.RateLimit = mockserver.RateLimit{Requests: 4, Window: time.Second, Named: mockserver.RetryAfterSeconds}
	o.Feed.Until, o.Grace = mockserver.Inclusive, underWay
	faults := []fault{
		{"cut", hijack("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")},
		{"500", answering(500, "{}")},
		{"nothing", hijack("")},
		{"garbage", hijack("\x00\x01\x02\x03")},
	}
	var numbers []int64
	for n := range int64(24) {
		numbers = append(numbers, n)
	}
	for _, n := range harness.Some(numbers, 2) {
		f := faults[int(n)%len(faults)]
		t.Run(fmt.Sprintf("%s at %d", f.name, n+1), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			w.breakFor(n, 1, f.HandlerFunc)
			w.outlasts(peak, "--workers", "2")
		})
		t.Run(fmt.Sprintf("%s from %d on", f.name, n+1), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			w.breakAfter(n, f.HandlerFunc)
			e := w.run(pull("--workers", "2", "--max-retry-time", "1s"))
			if e.Code == 0 {
				// The failed requests, if any, read a page with rejects a second time.
				w.hasAll()
			} else {
				w.endsWith(e, 4)
				w.says(e, "the same command")
			}
			w.recovers()
		})
	}
}

// TestManyRequestsFail: a pull of which three in ten requests fail, each in another way, is
// complete and has exactly the API's events.
func TestManyRequestsFail(t *testing.T) {
	t.Parallel()
	faults := []mockserver.Fault{
		mockserver.Reset(), mockserver.Status(500), mockserver.Status(502), mockserver.StatusAfter(503, time.Second),
		mockserver.Truncate(700), mockserver.TruncateChunked(700), mockserver.ResetAfter(500), mockserver.Clip(900),
		mockserver.Trailing("{}"), mockserver.HTML(), mockserver.Empty(), mockserver.Null(), mockserver.NoContent(),
		mockserver.Body("application/json", `{"streamAccess":{}}`), mockserver.Header("Content-Encoding", "gzip"),
		mockserver.Delayed(300*time.Millisecond, mockserver.Reset()), mockserver.Delayed(500*time.Millisecond, mockserver.Status(504)),
		mockserver.Status(206), mockserver.Returned(1),
		mockserver.RateLimitedIn(mockserver.RetryAfterBody, 100*time.Millisecond), mockserver.RateLimitedIn(mockserver.ResetBody, 300*time.Millisecond),
	}
	seeds := []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	var met, requests atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range harness.Some(seeds, 1) {
			for _, workers := range []string{"1", "4", "auto"} {
				t.Run(fmt.Sprint(seed, ", workers ", workers), func(t *testing.T) {
					t.Parallel()
					o := tcpPages()
					o.FaultSeed = seed
					o.Feed.Until = mockserver.Bound(seed % 3)
					o.Access.TokenLife = 2 * time.Second
					// Where some requests have to go to the feed.
					o.Events.RateLimit = mockserver.RateLimit{Requests: 10, Window: 2 * time.Second, Headers: seed%2 == 0, Named: mockserver.RetryAfterSeconds}
					for i := range faults {
						f := faults[(i+int(seed))%len(faults)]
						o.Random = append(o.Random, mockserver.RandomFault{Rate: 0.0169, Fault: f}) // 0.3 in all
					}
					o.Grace = underWay
					w := newWorld(t, o)
					w.outlasts(peak, "--workers", workers)
					w.isAsUndisturbed(o.Data)
					for _, entry := range w.API.Log() {
						requests.Add(1)
						if entry.Fault != "pass" {
							met.Add(1)
						}
					}
				})
			}
		}
	})
	if share := float64(met.Load()) / float64(requests.Load()); share < 0.25 || share > 0.4 {
		t.Errorf("%.2f of %d requests failed", share, requests.Load())
	}
}

// TestConnectionsAreUsedAgain: a thousand requests, among them 429s and errors, take as many
// connections as there are walks, or a few more.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	for _, workers := range harness.Some([]int64{4, 1, 16}, 1) {
		t.Run(fmt.Sprint("workers ", workers), func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			o.Data.Events, o.Data.DirtyEvery, o.Events.Cap, o.Feed.Cap = 10_000, 0, 10, 10
			if !harness.All() {
				o.Data.Events = 4000
			}
			o.Feed.Until, o.Grace = mockserver.Inclusive, underWay
			o.Events.Latency, o.Feed.Latency = 10*time.Millisecond, 10*time.Millisecond
			o.Random = []mockserver.RandomFault{
				{Rate: 0.02, Fault: mockserver.RateLimitedRaw("", `{"rateLimit":{"retryAfter":0.01},"message":"`+strings.Repeat("x", 30_000)+`"}`, 10*time.Millisecond)},
				{Rate: 0.01, Fault: mockserver.Status(500)}, {Rate: 0.01, Fault: mockserver.Clip(900)}, {Rate: 0.01, Fault: mockserver.NoContent()},
			}
			w := newWorld(t, o)
			w.outlasts(peak, "--workers", fmt.Sprint(workers))
			s := w.API.Stats()
			requests, limited := s.Events.Requests+s.Feed.Requests, s.Events.Limited+s.Feed.Limited
			if requests < o.Data.Events/10 || limited < 5 {
				t.Errorf("%d requests, %d 429s", requests, limited)
			}
			if n := w.connections.Load(); n > workers+4 {
				t.Errorf("%d connections", n)
			}
			t.Logf("%d connections for %d requests with %d 429s", w.connections.Load(), requests, limited)
		})
	}
}

// full returns the address of a socket that accepts no more connections. Like a filtered port, it
// drops all packets.
func (w *world) full() string {
	w.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		w.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		w.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(name.(*syscall.SockaddrInet4).Port)
	for range 10 {
		conn, err := net.DialTimeout("tcp", address, 2*time.Second) // long enough for a busy machine
		if err != nil {
			return address
		}
		w.Cleanup(func() { _ = conn.Close() })
	}
	w.Fatal("there is always room for a connection")
	return ""
}

// TestNobodyIsThere: an API that cannot be reached soon ends the pull, with the host's name.
func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	closed := "127.0.0.1:1"
	for _, c := range harness.Some([]struct {
		name, base string
		says       []string
	}{
		{"refused", "http://" + closed, []string{closed, "refused"}},
		{"no such name", "http://no-such-host.invalid", []string{"no-such-host.invalid", "--base-url"}},
		{"filtered", "", []string{"timed out"}},
		{"refused by IPv6", "http://[::1]:1", []string{"[::1]:1"}},
		{"https where nobody is", "https://" + closed, []string{closed, "refused"}},
	}, 1) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			w.Base = c.base
			if c.base == "" {
				address := w.full()
				w.Base = "http://" + address
				c.says = append(c.says, address)
			}
			options := []string{"pull"}
			if !harness.All() {
				options = pull().Args
			}
			e := w.run(command{Args: options})
			w.endsWith(e, 4)
			w.says(e, c.says...)
			w.peaksBelow(e, peak)
			t.Logf("%s: %s", e.Took, e.Err)
		})
	}
}

// TestTheWayThereIsCut: without routes and without a name server a pull ends soon. The next pull
// resumes once there is a network.
func TestTheWayThereIsCut(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://192.0.2.1", "http://[2001:db8::1]", "http://api.example"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			w.Base = base
			// A network namespace in which no interface is up.
			e := w.run(command{Program: "unshare", Args: append([]string{"-n", harness.Program(w)}, pull("--max-retry-time", "1s").Args...)})
			if strings.Contains(e.Err, "unshare") {
				t.Skip("no network of its own can be made here: ", e.Err)
			}
			w.endsWith(e, 4)
			w.says(e, strings.Trim(strings.TrimPrefix(base, "http://"), "[]"))
			t.Logf("%s: %s", e.Took, e.Err)
		})
	}
}
