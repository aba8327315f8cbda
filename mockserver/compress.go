package mockserver

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// compress compresses a page for a client that accepts it. Faults of the delivery apply to the
// compressed bytes.
func (s *Server) compress(in *incoming, a *answer) {
	if !s.opts.Gzip || a.pooled == nil {
		return
	}
	a.header.Set("Vary", "Accept-Encoding")
	if !acceptsGzip(in.header) {
		return
	}
	a.header.Set("Content-Encoding", "gzip")
	zipped := s.buffers.Get().(*[]byte)
	out := bytes.NewBuffer((*zipped)[:0])
	w := s.zips.Get().(*gzip.Writer)
	w.Reset(out)
	// Writes to a bytes.Buffer do not fail.
	_, _ = w.Write(a.body)
	_ = w.Close()
	s.zips.Put(w)
	*a.pooled = a.body[:0]
	s.buffers.Put(a.pooled)
	a.pooled, a.body, a.gzip = zipped, out.Bytes(), true
}

// acceptsGzip reports whether Accept-Encoding names gzip, or everything, and does not
// give it the weight 0 (RFC 9110, section 12.5.3).
func acceptsGzip(h http.Header) bool {
	codings := h.Values("Accept-Encoding")
	if len(codings) == 0 {
		return false // RFC 9110 allows any coding here, but clients do not expect it
	}
	everything, accepted := false, map[string]bool{}
	for _, coding := range strings.Split(strings.Join(codings, ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		q := 1.0
		if text, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(weight), " ", ""), "q="); ok {
			q, _ = strconv.ParseFloat(text, 64)
		}
		accepted[name] = q > 0
		everything = everything || name == "*" && q > 0
	}
	if yes, named := accepted["gzip"]; named {
		return yes
	}
	return everything
}
