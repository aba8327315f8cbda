package faults

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is the API's end of an HTTP/2 connection.
type peer struct {
	*http2.Framer
	conn    net.Conn
	w       *world
	encoded bytes.Buffer
	encoder *hpack.Encoder
}

// h2Fault is the API's reaction to an HTTP/2 request. It reports whether the connection continues.
type h2Fault struct {
	name string
	do   func(p *peer, stream uint32, answer *httptest.ResponseRecorder) bool
	// again says that Go's client itself repeats such a request for up to a minute.
	again bool
}

// speaksH2 lets the API speak HTTP/2. which returns the fault of the nth request, or nil.
func (w *world) speaksH2(s *secured, which func(n int64) *h2Fault) {
	var requests atomic.Int64
	config := s.good.Clone()
	config.NextProtos = []string{"h2"}
	w.take(func(conn net.Conn) {
		secure := tls.Server(conn, config)
		defer func() { _ = secure.Close() }()
		p := &peer{Framer: http2.NewFramer(secure, secure), conn: secure, w: w}
		p.encoder = hpack.NewEncoder(&p.encoded)
		p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		if _, err := io.ReadFull(secure, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		_ = p.WriteSettings()
		under := map[uint32]*http.Request{}
		for {
			frame, err := p.ReadFrame()
			if err != nil {
				return
			}
			ends := false
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = p.WriteSettingsAck()
				}
			case *http2.PingFrame:
				if !f.IsAck() {
					_ = p.WritePing(true, f.Data)
				}
			case *http2.MetaHeadersFrame:
				r := httptest.NewRequest(f.PseudoValue("method"), f.PseudoValue("path"), nil)
				r.Host = f.PseudoValue("authority")
				for _, field := range f.RegularFields() {
					r.Header.Add(field.Name, field.Value)
				}
				under[f.StreamID] = r
				ends = f.StreamEnded()
			case *http2.DataFrame:
				ends = f.StreamEnded()
			}
			if !ends {
				continue
			}
			stream := frame.Header().StreamID
			answer := httptest.NewRecorder()
			w.ServeHTTP(answer, under[stream])
			delete(under, stream)
			if fault := which(requests.Add(1)); fault != nil {
				if !fault.do(p, stream, answer) {
					return
				}
				continue
			}
			p.answer(stream, answer, answer.Body.Len())
		}
	})
}

// head sends the headers of a response.
func (p *peer) head(stream uint32, answer *httptest.ResponseRecorder, ends bool, more ...string) {
	p.encoded.Reset()
	field := func(name, value string) { _ = p.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) }
	field(":status", strconv.Itoa(answer.Code))
	for name, values := range answer.Header() {
		field(strings.ToLower(name), values[0])
	}
	for i := 0; i < len(more); i += 2 {
		field(more[i], more[i+1])
	}
	_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: p.encoded.Bytes(), EndStream: ends, EndHeaders: true})
}

// interim sends an interim response.
func (p *peer) interim(stream uint32, status int) error {
	p.encoded.Reset()
	_ = p.encoder.WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(status)})
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: p.encoded.Bytes(), EndHeaders: true})
}

// answer sends a response with this many bytes of its body. A whole body ends the stream.
func (p *peer) answer(stream uint32, answer *httptest.ResponseRecorder, bytes int) {
	p.head(stream, answer, answer.Body.Len() == 0)
	for body := answer.Body.Bytes()[:bytes]; len(body) > 0; {
		n := min(len(body), 16<<10)
		_ = p.WriteData(stream, bytes == answer.Body.Len() && n == len(body), body[:n])
		body = body[n:]
	}
}
