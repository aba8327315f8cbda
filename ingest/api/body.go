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

// errorBody reads the body of an answer that is no 200, as far as it comes, and inflates
// it where it is what its header says. By RFC 9110, section 6.4.1, some answers have none: what
// follows a 101 is another protocol.
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

// decompressed reads a body that came compressed, also where that was not asked for.
func decompressed(resp *http.Response, body io.Reader) (_ io.Reader, gzipped bool, _ error) {
	switch encoding := strings.ToLower(strings.Join(resp.Header.Values("Content-Encoding"), ",")); encoding {
	case "", "identity":
		return body, false, nil
	case "gzip", "x-gzip":
		// Members that follow each other are one text, and nothing else may follow.
		content, err := gzip.NewReader(body)
		return content, true, err
	default:
		if len(encoding) > 20 {
			encoding = "a long name" // a part of which could be a part of a secret
		}
		return nil, false, fmt.Errorf("an encoding that was not asked for: %q", encoding)
	}
}

// isCached reports whether an answer came from a cache: it says so, or has an age (RFC 9111,
// section 5.1).
func isCached(header http.Header) bool {
	age, _ := strconv.Atoi(strings.TrimSpace(header.Get("Age")))
	return age > 0 || strings.HasPrefix(strings.ToUpper(strings.TrimSpace(header.Get("X-Cache"))), "HIT")
}
