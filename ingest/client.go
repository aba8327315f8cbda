package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	eventsPath = "/api/v1/events"
	accessPath = "/internal/dashboard/stream-access"

	// maxPage is how many bytes a page may have.
	maxPage = 256 << 20
	// maxErrorBody is how much of an error's body is read.
	maxErrorBody = 64 << 10
	// idleLimit is how long a body may go without a byte.
	idleLimit = 30 * time.Second
)

// client sends one request and gives one typed answer. It neither waits nor
// tries again.
type client struct {
	http     *http.Client
	base     *url.URL
	pageSize int
}

// newClient returns a client whose requests carry key to base and nowhere else.
func newClient(next http.RoundTripper, base *url.URL, key Secret, pageSize int) *client {
	return &client{
		base: base, pageSize: pageSize,
		http: &http.Client{
			Transport:     &originGuard{next: next, base: base, key: key},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// page asks for the page at cursor and returns its body, not yet decoded. Token
// is nil for the events endpoint.
func (c *client) page(ctx context.Context, endpoint, cursor string, token *access) (string, error) {
	path := eventsPath
	if token != nil {
		path = token.path
	}
	query := url.Values{"limit": {strconv.Itoa(c.pageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	req, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return "", err
	}
	if token != nil {
		req.Header.Set(token.header, token.token)
	}
	return c.do(endpoint, req, cursor != "")
}

// access asks for access to the feed.
func (c *client) access(ctx context.Context) (string, error) {
	req, err := c.request(ctx, http.MethodPost, accessPath, nil, strings.NewReader("{}"))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.do(streamAccess, req, false)
}

func (c *client) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	ref, err := url.Parse(path)
	if err != nil {
		return nil, fmt.Errorf("read the path that the API named: %w", err)
	}
	u := c.base.ResolveReference(ref)
	u.RawQuery = query.Encode()
	return http.NewRequestWithContext(ctx, method, u.String(), body)
}

// do sends the request and returns the whole body of a 200; everything else is
// an error: *APIError where the API answered.
func (c *client) do(endpoint string, req *http.Request, withCursor bool) (string, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	resp, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		return "", scrub(endpoint, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		return "", answerError(endpoint, resp, body, withCursor)
	}
	watchdog := time.AfterFunc(idleLimit, func() { cancel(fmt.Errorf("%s sent nothing for %s", endpoint, idleLimit)) })
	defer watchdog.Stop()
	var body strings.Builder
	if n := resp.ContentLength; n > 0 && n <= maxPage {
		body.Grow(int(n))
	}
	_, err = io.Copy(&body, io.LimitReader(&watched{resp.Body, watchdog}, maxPage+1))
	switch {
	case err != nil && context.Cause(ctx) != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", scrub(endpoint, err)
	case body.Len() > maxPage:
		return "", fmt.Errorf("%w: %s sent more than %d MiB", errBadPage, endpoint, maxPage>>20)
	}
	return body.String(), nil
}

// watched puts the watchdog off with every byte.
type watched struct {
	io.Reader
	watchdog *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if n > 0 {
		w.watchdog.Reset(idleLimit)
	}
	return n, err
}

// scrub takes the URL, with the cursor in it, out of an error of package http.
func scrub(endpoint string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("ask %s: %w", endpoint, err)
}

// answerError says what an answer that is no 200 means.
func answerError(endpoint string, resp *http.Response, body []byte, withCursor bool) error {
	e := &APIError{Endpoint: endpoint, Status: resp.StatusCode}
	var answer struct {
		Code    json.RawMessage `json:"code"`
		Message json.RawMessage `json:"message"`
		Error   json.RawMessage `json:"error"`
	}
	_ = json.Unmarshal(body, &answer)
	if code := strings.Trim(string(answer.Code), `"`); len(code) <= 64 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" {
		e.Code = code
	}
	e.Wait, e.Named = askedWait(resp.StatusCode, resp.Header, body, time.Now())
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		e.Kind = ErrRedirected
	case status == http.StatusUnauthorized, status == http.StatusForbidden && endpoint == eventsEndpoint:
		e.Kind = ErrKeyRefused
	case status == http.StatusForbidden && endpoint == feedEndpoint:
		e.Kind = ErrTokenRejected
	case withCursor && (status == http.StatusBadRequest || status == http.StatusGone || status == http.StatusUnprocessableEntity):
		text := strings.ToLower(e.Code + " " + string(answer.Message) + " " + string(answer.Error))
		if strings.Contains(text, "cursor") {
			e.Kind = ErrCursorDead
		}
	}
	return e
}
