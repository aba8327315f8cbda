package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// The names of the endpoints, as the page log, the table of runs and messages have them.
const (
	Events       = "events"
	Feed         = "feed"
	StreamAccess = "stream-access"
)

const (
	eventsPath = "/api/v1/events"
	accessPath = "/internal/dashboard/stream-access"
)

// Request describes the page to fetch: the page of Cursor or, without one, the newest page. The
// dispatcher reads Only and IfSoon, the client reads the rest.
type Request struct {
	// Cursor is the cursor of the page, as the API sent it.
	Cursor string
	// Until, if Bounded, is the exclusive upper bound of the page, in milliseconds since 1970.
	Until   int64
	Bounded bool
	// Limit is the number of events to request; 0 requests a full page of the endpoint's size.
	Limit int
	// Only names the one endpoint that may serve the request; "" allows any.
	Only string
	// IfSoon gives up the choice of Only if that endpoint is not available soon.
	IfSoon bool
	// SharesSlot marks a second reading of a page whose first reading holds the slot for large
	// texts. It needs no slot of its own; waiting for one would be a deadlock.
	SharesSlot bool
	// Truncated keeps only the beginning of each element that exceeds the size limit.
	Truncated bool
}

// isFullPage reports whether the request takes the endpoint's page size. Only full pages teach the
// client a page size or the speed of the link.
func (r *Request) isFullPage() bool { return r.Limit == 0 }

// pageRequest returns the HTTP request for a page of at most limit events. Without a token it goes
// to the events endpoint, with one to the feed.
func pageRequest(ctx context.Context, base *url.URL, want Request, limit int, token *Access) (*http.Request, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if want.Cursor != "" {
		query.Set("cursor", want.Cursor)
	}
	if want.Bounded {
		query.Set("until", strconv.FormatInt(want.Until, 10))
	}
	if token == nil {
		return newRequest(ctx, base, http.MethodGet, eventsPath, query, nil)
	}
	req, err := newRequest(ctx, base, http.MethodGet, token.path, query, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set(token.header, token.token)
	return req, nil
}

// newRequest returns an HTTP request for a path of the API.
func newRequest(ctx context.Context, base *url.URL, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	ref, err := url.Parse(path)
	if err != nil {
		return nil, fmt.Errorf("parse the path that the API named: %w", err)
	}
	u := base.ResolveReference(ref)
	u.RawQuery = query.Encode()
	return http.NewRequestWithContext(ctx, method, u.String(), body)
}
