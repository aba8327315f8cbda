package api

import (
	"errors"
	"strings"
	"testing"

	"datasync/ingest/decode"
)

// TestPageSizeHalvesAfterLargePage: a page of too many elements halves the page size of its endpoint, unless
// the endpoint ignores the limit of requests.
func TestPageSizeHalvesAfterLargePage(t *testing.T) {
	_, err := decode.New().Decode(`{"data":[`+strings.Repeat("1,", decode.MaxElements)+`1],"hasMore":false}`, nil)
	c := New(nil, nil, "ds_test_key", 800_000)
	var large *decode.TooLarge
	if errors.As(c.DecodeError(Feed, &Buffer{Limit: 800_000}, err), &large); c.PageTooLarge(Feed, large) != 400_000 || c.pageSizes[Feed].current.Load() != 400_000 || c.pageSizes[Events].current.Load() != 800_000 {
		t.Errorf("%v, %d", large, c.pageSizes[Feed].current.Load())
	}
	if errors.As(c.DecodeError(Feed, &Buffer{Limit: 400_000}, err), &large); c.PageTooLarge(Feed, large) != 0 || !strings.HasSuffix(large.Error(), "although the request allowed 400,000 events") {
		t.Error(large)
	}
}
