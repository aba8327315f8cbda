package faults

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func h2Faults() []h2Fault {
	rst := func(code http2.ErrCode) h2Fault {
		return h2Fault{name: "RST_STREAM " + code.String(), do: func(p *peer, stream uint32, _ *httptest.ResponseRecorder) bool {
			_ = p.WriteRSTStream(stream, code)
			return true
		}, again: code == http2.ErrCodeRefusedStream || code == http2.ErrCodeProtocol}
	}
	goAway := func(code http2.ErrCode, answered bool) h2Fault {
		return h2Fault{name: fmt.Sprintf("GOAWAY %s, answered %v", code, answered), do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
			last := stream - 2
			if answered {
				last = stream
			}
			_ = p.WriteGoAway(last, code, []byte("go away"))
			if answered {
				p.answer(stream, answer, answer.Body.Len())
			}
			return false
		}}
	}
	half := func(name string, then func(p *peer, stream uint32) bool) h2Fault {
		return h2Fault{name: name + " in a body", do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
			p.answer(stream, answer, answer.Body.Len()/2)
			return then(p, stream)
		}}
	}
	odd := func(name string, do func(p *peer, stream uint32)) h2Fault {
		return h2Fault{name: name, do: func(p *peer, stream uint32, _ *httptest.ResponseRecorder) bool {
			do(p, stream)
			// The program closes the connection, or resets the stream.
			_, _ = io.Copy(io.Discard, p.conn)
			return false
		}}
	}
	endless := func(p *peer, send func() error) {
		_ = p.conn.SetDeadline(time.Now().Add(within))
		go func() { _, _ = io.Copy(io.Discard, p.conn) }()
		for send() == nil {
		}
	}
	return []h2Fault{
		goAway(http2.ErrCodeNo, false),
		rst(http2.ErrCodeRefusedStream),
		half("RST_STREAM", func(p *peer, stream uint32) bool { return p.WriteRSTStream(stream, http2.ErrCodeInternal) == nil }),
		goAway(http2.ErrCodeNo, true), goAway(http2.ErrCodeEnhanceYourCalm, false), goAway(http2.ErrCodeInternal, false),
		rst(http2.ErrCodeCancel), rst(http2.ErrCodeInternal), rst(http2.ErrCodeProtocol), rst(http2.ErrCodeEnhanceYourCalm), rst(http2.ErrCodeNo), rst(http2.ErrCodeHTTP11Required),
		half("RST_STREAM without an error", func(p *peer, stream uint32) bool { return p.WriteRSTStream(stream, http2.ErrCodeNo) == nil }),
		half("GOAWAY", func(p *peer, stream uint32) bool { _ = p.WriteGoAway(stream, http2.ErrCodeInternal, nil); return false }),
		half("the connection's end", func(*peer, uint32) bool { return false }),
		half("the stream's end", func(p *peer, stream uint32) bool { return p.WriteData(stream, true, nil) == nil }),
		half("more data than may be", func(p *peer, stream uint32) bool {
			endless(p, func() error { return p.WriteData(stream, false, make([]byte, 16<<10)) })
			return false
		}),
		odd("a frame that is too large", func(p *peer, stream uint32) {
			_ = p.WriteRawFrame(http2.FrameData, 0, stream, make([]byte, 1<<24-1))
		}),
		odd("a frame of a stream that is none", func(p *peer, stream uint32) { _ = p.WriteRawFrame(http2.FrameData, 0, stream+8, []byte("x")) }),
		odd("headers that are none", func(p *peer, stream uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte("\xff\xff\xff\xff"), EndHeaders: true})
		}),
		odd("a promise", func(p *peer, stream uint32) {
			_ = p.WritePushPromise(http2.PushPromiseParam{StreamID: stream, PromiseID: 2, EndHeaders: true})
		}),
		odd("a window beyond 2^31", func(p *peer, _ uint32) {
			_ = p.WriteRawFrame(http2.FrameWindowUpdate, 0, 0, []byte{0x7f, 0xff, 0xff, 0xff})
		}),
		odd("headers without end", func(p *peer, stream uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: nil})
			p.encoded.Reset()
			for i := 0; p.encoded.Len() < 10<<10; i++ {
				_ = p.encoder.WriteField(hpack.HeaderField{Name: fmt.Sprint("x-", i), Value: strings.Repeat("v", 100), Sensitive: true})
			}
			endless(p, func() error { return p.WriteContinuation(stream, false, p.encoded.Bytes()) })
		}),
		odd("empty headers without end", func(p *peer, stream uint32) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: nil})
			endless(p, func() error { return p.WriteContinuation(stream, false, nil) })
		}),
		odd("a header of 10 MB", func(p *peer, stream uint32) {
			p.encoded.Reset()
			_ = p.encoder.WriteField(hpack.HeaderField{Name: "x-long", Value: strings.Repeat("v", 10<<20), Sensitive: true})
			block := p.encoded.Bytes()
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block[:16<<10]})
			for block = block[16<<10:]; len(block) > 0 && p.WriteContinuation(stream, len(block) <= 16<<10, block[:min(16<<10, len(block))]) == nil; {
				block = block[min(16<<10, len(block)):]
			}
		}),
		odd("101", func(p *peer, stream uint32) { p.interim(stream, 101) }),
		odd("101 and data", func(p *peer, stream uint32) {
			p.interim(stream, 101)
			_ = p.WriteData(stream, false, []byte("another protocol"))
		}),
		odd("1xx without end", func(p *peer, stream uint32) {
			endless(p, func() error { return p.interim(stream, 103) })
		}),
		{name: "no more streams", do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
			p.answer(stream, answer, answer.Body.Len())
			return true
		}},
		{name: "a window of 0", do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
			// The program cannot send the body of a request for access.
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			p.answer(stream, answer, answer.Body.Len())
			return true
		}},
	}
}

// TestHTTP2: after any fault of a stream or connection of HTTP/2 the request is repeated, if
// necessary on another connection. A fault that stays ends the pull as resumable.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	for _, fault := range harness.Some(h2Faults(), 2) {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			s := w.secure()
			var met atomic.Int64
			w.speaksH2(s, func(n int64) *h2Fault {
				if n > 6 && n%4 == 3 && met.Load() < 2 {
					met.Add(1)
					return &fault
				}
				return nil
			})
			e := w.run(command{Args: []string{"pull", "--workers", "2"}})
			w.endsWith(e, 0)
			w.peaksBelow(e, peak)
			if met.Load() == 0 {
				t.Error("nothing went wrong")
			}
			w.repair()
			w.isWhole()
			t.Logf("%d MB, %s, %d connections", e.Peak>>20, e.Took, w.connections.Load())
		})
		t.Run(fault.name+", for good", func(t *testing.T) {
			if fault.again {
				t.Skip("takes more than two minutes")
			}
			t.Parallel()
			w := newWorld(t, tcpPages())
			s := w.secure()
			w.speaksH2(s, func(n int64) *h2Fault {
				if n > 6 {
					return &fault
				}
				return nil
			})
			e := w.run(pull("--workers", "2"))
			w.endsWith(e, 0, 4) // a fault that fails no request does not end the pull either
			w.peaksBelow(e, peak)
			t.Logf("exit %d, %d MB, %s, %d connections", e.Code, e.Peak>>20, e.Took, w.connections.Load())
			w.recovers()
		})
	}
}

// TestHTTP2Hangs: an HTTP/2 connection that answers nothing, not even a ping, is given up, and the
// pull continues on another one.
func TestHTTP2Hangs(t *testing.T) {
	if !harness.All() {
		t.Skip("takes half a minute: only with -all")
	}
	t.Parallel()
	w := newWorld(t, tcpPages())
	s := w.secure()
	silent := h2Fault{name: "silent", do: func(p *peer, _ uint32, _ *httptest.ResponseRecorder) bool {
		<-w.Context().Done()
		return false
	}}
	var met atomic.Int64
	w.speaksH2(s, func(n int64) *h2Fault {
		if n == 8 {
			met.Add(1)
			return &silent
		}
		return nil
	})
	e := w.run(command{Args: []string{"pull", "--workers", "2"}})
	w.endsWith(e, 0)
	if e.Took < 10*time.Second || met.Load() != 1 {
		t.Errorf("met %d times: %v", met.Load(), e)
	}
	w.repair()
	w.isWhole()
	t.Logf("%s, %d connections", e.Took, w.connections.Load())
}

// flooding is a server that sends endless frames in place of the rest of a response. Where it reads
// the program's replies to them, it calls enough after a hundred thousand frames, otherwise once
// the program accepts no more.
func (w *world) flooding(head, reads bool, send func(*peer) error, enough func()) *h2Fault {
	return &h2Fault{do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
		if head {
			p.head(stream, answer, false)
		}
		if reads {
			go func() { _, _ = io.Copy(io.Discard, p.conn) }()
		}
		for n := 0; ; n++ {
			if !reads {
				_ = p.conn.SetWriteDeadline(time.Now().Add(time.Second))
			}
			if err := send(p); err != nil {
				break
			}
			if n == 100_000 && reads {
				enough()
			}
		}
		enough()
		if !reads {
			<-w.Context().Done() // with the connection left open
		}
		return false
	}}
}

// TestAWindowThatOverflows: a stream's window that overflows (RFC 9113, section 6.9.1) makes
// net/http wait for a lock that it holds itself. Neither the context nor the end of the connection
// ends such a request. The program abandons it, and a signal ends the pull.
func TestAWindowThatOverflows(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]bool{"before the head": false, "behind it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			overflowed := make(chan struct{})
			once := sync.OnceFunc(func() { close(overflowed) })
			w.speaksH2(w.secure(), func(n int64) *h2Fault {
				if n <= 6 {
					return nil
				}
				return &h2Fault{do: func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool {
					if head {
						p.head(stream, answer, false)
					}
					_ = p.WriteWindowUpdate(stream, 1<<31-1)
					once()
					return true
				}}
			})
			r := w.start(command{Args: []string{"pull", "--workers", "1"}})
			<-overflowed
			r.signal(syscall.SIGINT)
			w.endsWith(r.wait(), 130)
			w.recovers()
		})
	}
}

// TestHTTP2Floods: endless frames that the program must reply to take no memory, whether the server
// reads the replies or not. A signal ends the pull, and so do the limits of a request.
func TestHTTP2Floods(t *testing.T) {
	t.Parallel()
	ping := func(p *peer) error { return p.WritePing(false, [8]byte{}) }
	settings := func(p *peer) error {
		return p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535})
	}
	type flood struct {
		name        string
		send        func(*peer) error
		head, reads bool
	}
	for _, f := range harness.Some([]flood{
		{"PING behind a head, not read", ping, true, false},
		{"SETTINGS", settings, false, true},
		{"PING", ping, false, true},
		{"PING, not read", ping, false, false},
		{"PING behind a head", ping, true, true},
		{"SETTINGS, not read", settings, false, false},
		{"SETTINGS behind a head", settings, true, true},
		{"SETTINGS behind a head, not read", settings, true, false},
	}, 2) {
		from := func(w *world, n int64, enough func()) {
			w.speaksH2(w.secure(), func(i int64) *h2Fault {
				if i > n {
					return w.flooding(f.head, f.reads, f.send, enough)
				}
				return nil
			})
		}
		t.Run(f.name+", and a signal", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			enough := make(chan struct{})
			from(w, 6, sync.OnceFunc(func() { close(enough) }))
			r := w.start(command{Args: []string{"pull", "--workers", "1"}})
			<-enough
			r.signal(syscall.SIGINT)
			e := r.wait()
			w.endsWith(e, 130)
			w.peaksBelow(e, peak)
			t.Logf("%d MB, %s", e.Peak>>20, e.Took)
			w.recovers()
		})
		t.Run(f.name+", for good", func(t *testing.T) {
			if !harness.All() {
				t.Skip("takes three minutes: only with -all")
			}
			t.Parallel()
			w := newWorld(t, tcpPages())
			from(w, 6, func() {})
			e := w.givesUp(peak, "--workers", "1", "--max-retry-time", "100ms")
			t.Logf("%d MB, %s", e.Peak>>20, e.Took)
		})
	}
}
