package api

import (
	"errors"
	"strings"
	"testing"

	"datasync/ingest/decode"
)

// TestHalfAsManyAfterTooMany: after a page of too many elements the endpoint that sent it is asked for half as
// many, and not for fewer if it sends more than it was asked for.
func TestHalfAsManyAfterTooMany(t *testing.T) {
	_, err := decode.New().Decode(`{"data":[`+strings.Repeat("1,", decode.MaxElements)+`1],"hasMore":false}`, nil)
	c := New(nil, nil, "ds_test_key", 800_000)
	var large *decode.TooLarge
	if errors.As(c.DecodeError(Feed, &Buffer{Limit: 800_000}, err), &large); c.PageTooLarge(Feed, large) != 400_000 || c.pageSizes[Feed].Load() != 400_000 || c.pageSizes[Events].Load() != 800_000 {
		t.Errorf("%v, %d", large, c.pageSizes[Feed].Load())
	}
	if errors.As(c.DecodeError(Feed, &Buffer{Limit: 400_000}, err), &large); c.PageTooLarge(Feed, large) != 0 || !strings.HasSuffix(large.Error(), "though it was asked for 400000 events at most") {
		t.Error(large)
	}
}
