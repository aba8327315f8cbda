package ingest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"
	"testing"

	"datasync/mockserver"
)

// withNumbers makes the cursors of the API numbers, from 0 on, and accepts only their exact text.
func withNumbers(b *bench) {
	next := regexp.MustCompile(`"nextCursor":("[^"]*")`)
	var mu sync.Mutex
	numbers, cursors := map[string]string{}, map[string]string{}
	real := b.opts.Transport
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		query := r.URL.Query()
		if number := query.Get("cursor"); number != "" {
			if cursors[number] == "" {
				b.t.Errorf("no cursor was written as %q", number)
			}
			r = r.Clone(r.Context())
			query.Set("cursor", cursors[number])
			r.URL.RawQuery = query.Encode()
		}
		resp, err := real.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		body = next.ReplaceAllFunc(body, func(member []byte) []byte {
			cursor := string(next.FindSubmatch(member)[1])
			cursor = cursor[1 : len(cursor)-1]
			number, known := numbers[cursor]
			if !known {
				number = fmt.Sprintf([]string{"%d", "90071992547409930%d", "1.%de+3"}[len(numbers)%3], len(numbers))
				numbers[cursor], cursors[number] = number, cursor
			}
			return []byte(`"nextCursor":` + number)
		})
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return resp, nil
	})
}

// A cursor that is a JSON number is sent back digit by digit, also by the next run.
func TestCursorsThatAreNumbers(t *testing.T) {
	for _, flat := range []bool{false, true} {
		inBubble(t, fmt.Sprint("flat ", flat), mockserver.Options{Flat: flat}, func(b *bench) {
			withNumbers(b)
			b.stopAfter(800)
			b.mustPull()
		})
	}
}
