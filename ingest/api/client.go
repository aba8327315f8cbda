package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"datasync/ingest/decode"
)

// Client sends one request and returns one typed answer. It never waits and never retries. It is
// safe for concurrent use.
type Client struct {
	base      *url.URL
	secrets   *secrets
	sender    sender
	pageSizes map[string]*pageSize // by endpoint
	trace     func(Exchange)       // nil if it is not wanted

	compressionMu sync.Mutex // guards the values of compression
	// compression is decided for each endpoint, since their servers may differ.
	compression map[string]*compression
}

// New returns a client that sends key to the origin of base and nowhere else. FullPage is the
// number of events of a full page.
func New(next http.RoundTripper, base *url.URL, key Secret, fullPage int) *Client {
	jar, secrets := newCookies(), newSecrets(key)
	secrets.cookieValues = func() []string { return jar.values(base) }
	return &Client{
		base:    base,
		secrets: secrets,
		sender: sender{
			transport: &originGuard{next: next, base: base, key: key, cookies: jar},
			secrets:   secrets,
			base:      base,
			largeSlot: make(chan struct{}, 1),
			began:     time.Now(),
		},
		pageSizes:   map[string]*pageSize{Events: newPageSize(fullPage), Feed: newPageSize(fullPage)},
		compression: map[string]*compression{Events: {}, Feed: {}},
	}
}

// Page fetches a page into the buffer and returns its text, which is not decoded yet, and the rate
// limit that the headers state. Token is nil for the events endpoint.
//
// The error is an *Error if the API answered with something else, and a *decode.TooLarge if a page
// exceeds a limit. It wraps decode.ErrMalformed if decompression fails.
func (c *Client) Page(ctx context.Context, endpoint string, want Request, token *Access, into *Buffer) (string, RateLimit, error) {
	into.Limit = cmp.Or(want.Limit, c.PageSize(endpoint))
	req, err := pageRequest(ctx, c.base, want, into.Limit, token)
	if err != nil {
		return "", RateLimit{}, err
	}
	wantGzip := c.wantsGzip(endpoint)
	if wantGzip {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	resp, err := c.sender.do(endpoint, req, want, maxPage, into)
	if err == nil && wantGzip && resp.gzipped && !looksLikeObject(into.Text()) {
		// As malformed, it is requested without gzip the next time.
		err = fmt.Errorf("%w: the %s endpoint sent gzip of something else", decode.ErrMalformed, endpoint)
	}
	c.traced(endpoint, req, want, resp, into.Text(), err)
	if err != nil {
		counted := countElements(err, into)
		if wantGzip && !counted && ctx.Err() == nil {
			err = c.gzipFailed(endpoint, err)
		}
		return "", resp.rateLimit, err
	}
	if want.isFullPage() {
		c.pageFetched(endpoint, into, resp, wantGzip)
	}
	return into.Text(), resp.rateLimit, nil
}

// wantsGzip reports whether the next page of the endpoint is requested with gzip.
func (c *Client) wantsGzip(endpoint string) bool {
	c.compressionMu.Lock()
	defer c.compressionMu.Unlock()
	return c.compression[endpoint].wantsGzip()
}

// gzipFailed records that a request with gzip failed, and returns its error.
func (c *Client) gzipFailed(endpoint string, err error) error {
	c.compressionMu.Lock()
	defer c.compressionMu.Unlock()
	return recordGzipError(c.compression[endpoint], err)
}

// recordGzipError records the error of a request with gzip and returns it. It sets the Kind of a
// 406 to errGzipRefused. A 429 says nothing about gzip.
func recordGzipError(c *compression, err error) error {
	var answer *Error
	if errors.As(err, &answer) {
		switch answer.Status {
		case http.StatusTooManyRequests:
			return err
		case http.StatusNotAcceptable:
			answer.Kind = errGzipRefused
		}
	}
	if errors.Is(err, decode.ErrMalformed) || errors.Is(err, errGzipRefused) {
		c.onUnusable()
	} else {
		c.onFailure()
	}
	return err
}

// pageFetched records how a full page arrived, for the choice of gzip and of the page size.
func (c *Client) pageFetched(endpoint string, page *Buffer, resp response, wantGzip bool) {
	c.compressionMu.Lock()
	c.compression[endpoint].onPage(page.Size(), resp.took, wantGzip, resp.gzipped)
	c.compressionMu.Unlock()
	c.pageSizes[endpoint].grow(page.Limit, page.Size())
}

// countElements completes a *decode.TooLarge by the elements of the text that was read, and reports
// whether that text begins as a page does.
func countElements(err error, page *Buffer) bool {
	var large *decode.TooLarge
	if !errors.As(err, &large) {
		return false
	}
	large.Requested = page.Limit
	large.Elements, large.Counted = decode.CountElements(page.Text())
	return large.Counted
}

// Access requests access to the feed. The error is an *Error, or wraps decode.ErrMalformed for an
// answer without an access and ErrFeedUnusable for one that is not safe to use.
func (c *Client) Access(ctx context.Context) (*Access, error) {
	requested, answer := time.Now(), &Buffer{}
	req, err := newRequest(ctx, c.base, http.MethodPost, accessPath, nil, strings.NewReader("{}"))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.sender.do(StreamAccess, req, Request{}, maxAccess, answer)
	var access *Access
	if err == nil {
		if access, err = parseAccess(answer.Text(), requested); err == nil {
			c.secrets.add(access.token)
		}
	}
	c.traced(StreamAccess, req, Request{}, resp, "", err)
	return access, err
}

// HasAnswered reports whether an answer in this run may be the API's: an error status, or a body
// that begins as a page or an access does.
func (c *Client) HasAnswered() bool { return c.sender.hasAnswered.Load() }

// HeardAt returns when the last byte of an answer arrived; before the first one, when the client
// began.
func (c *Client) HeardAt() time.Time { return c.sender.began.Add(time.Duration(c.sender.heard.Load())) }

// HasSecret reports whether a text contains the key or a token of the feed, in any usual encoding.
func (c *Client) HasSecret(text string) bool { return c.secrets.containedIn(text) }

// PageSize returns how many events the next full page of the endpoint requests; 0 for stream-access.
func (c *Client) PageSize(endpoint string) int {
	if size := c.pageSizes[endpoint]; size != nil {
		return int(size.current.Load())
	}
	return 0
}

// PageTooLarge reduces the page size of an endpoint that sent a page over a limit. It returns the
// new size in events, or 0 if there is no smaller one or the endpoint ignores the limit of a
// request.
func (c *Client) PageTooLarge(endpoint string, page *decode.TooLarge) int {
	return c.pageSizes[endpoint].halve(page)
}

// LimitRefused reduces the page size of an endpoint that refused the limit of a request. It returns
// the new size in events, or 0 if there is no smaller one.
func (c *Client) LimitRefused(endpoint string, refused int, answer *Error) int {
	return c.pageSizes[endpoint].limitRefused(refused, answer.maximums)
}

// DecodeError adds to an error of the decoder which endpoint sent the page. It returns a
// *decode.TooLarge as such, and wraps ErrNoAPI if no answer in this run may be the API's.
func (c *Client) DecodeError(endpoint string, page *Buffer, err error) error {
	var large *decode.TooLarge
	if errors.As(err, &large) {
		large.Endpoint, large.Requested = endpoint, page.Limit
		return large
	}
	if !c.sender.hasAnswered.Load() {
		return &otherServerError{c.base.Host, contentOf(page.Text()), err}
	}
	return fmt.Errorf("read a page of the %s endpoint: %w", endpoint, err)
}

// otherServerError is the error of an answer that is not the API's. Its text leaves out where the decoder
// stopped.
type otherServerError struct {
	host, content string
	err           error
}

func (e *otherServerError) Error() string {
	return fmt.Sprintf("%v: %s answered %s", ErrNoAPI, e.host, e.content)
}

// Unwrap returns ErrNoAPI and the decoder's error.
func (e *otherServerError) Unwrap() []error { return []error{ErrNoAPI, e.err} }

// contentOf describes a body, for the error about an answer that is not the API's.
func contentOf(body string) string {
	body = strings.TrimSpace(body)
	switch {
	case body == "":
		return "nothing"
	case json.Valid([]byte(body)):
		return "JSON that is not a page of events"
	case strings.HasPrefix(body, "<"):
		return "HTML or XML"
	}
	return "a text that is not JSON"
}

// looksLikeObject reports whether a body begins and ends as a JSON object does.
func looksLikeObject(body string) bool {
	body = strings.TrimSpace(body)
	return strings.HasPrefix(body, "{") && strings.HasSuffix(body, "}")
}
