package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxErrorBody is how many bytes of an error's body are read.
const maxErrorBody = 64 << 10

// errorBody reads the body of an answer that is not a 200, as far as it arrives, and decompresses
// it if its header says so. By RFC 9110, section 6.4.1, some answers have no body: another
// protocol follows a 101.
func errorBody(resp *http.Response, from io.Reader) []byte {
	if resp.StatusCode < 200 || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		return nil
	}
	raw, _ := io.ReadAll(io.LimitReader(from, maxErrorBody))
	content, gzipped, err := decompressed(resp, bytes.NewReader(raw))
	if err != nil || !gzipped {
		return raw
	}
	inflated, _ := io.ReadAll(io.LimitReader(content, maxErrorBody))
	if len(inflated) == 0 {
		return raw
	}
	return inflated
}

// decompressed returns a reader of the decompressed body. A server may send gzip unrequested.
func decompressed(resp *http.Response, body io.Reader) (_ io.Reader, gzipped bool, _ error) {
	switch encoding := strings.ToLower(strings.Join(resp.Header.Values("Content-Encoding"), ",")); encoding {
	case "", "identity":
		return body, false, nil
	case "gzip", "x-gzip":
		// The reader joins consecutive members and refuses anything after them (RFC 1952, section 2.2).
		content, err := gzip.NewReader(body)
		return content, true, err
	default:
		if len(encoding) > 20 {
			encoding = "a long name" // a prefix of it might be a prefix of a secret
		}
		return nil, false, fmt.Errorf("content encoding %q was not requested", encoding)
	}
}

// isCached reports whether an answer came from a cache: it says so, or has an age (RFC 9111,
// section 5.1).
func isCached(header http.Header) bool {
	age, _ := strconv.Atoi(strings.TrimSpace(header.Get("Age")))
	return age > 0 || strings.HasPrefix(strings.ToUpper(strings.TrimSpace(header.Get("X-Cache"))), "HIT")
}
