package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"datasync/ingest/decode"
	"datasync/internal/failpoint"
)

const (
	eventsPath = "/api/v1/events"
	accessPath = "/internal/dashboard/stream-access"

	// maxPage is how many bytes a page may have. One of 100,000 events has about 35 MB.
	maxPage = 128 << 20
	// maxAccess is the same of an answer of stream-access.
	maxAccess = 1 << 20
	// maxErrorBody is how much of an error's body is read.
	maxErrorBody = 64 << 10
	// headerLimit is how long an answer may take to begin, idleLimit how long its
	// body may go without a byte. A body that keeps trickling must bring slowest
	// bytes a second, but for its first minute.
	headerLimit = 90 * time.Second
	idleLimit   = 30 * time.Second
	slowest     = 1 << 10
)

// dashboardRequired is the code of an answer to what does not look like a browser.
const dashboardRequired = "DASHBOARD_REQUIRED"

// Client sends one request and gives one typed answer. It neither waits nor
// tries again.
type Client struct {
	wire    http.RoundTripper
	secrets *secrets
	base    *url.URL
	// pageSizes are the limits sent to each endpoint: at first the one that is wanted, then
	// what the endpoint accepts.
	pageSizes map[string]*atomic.Int64
	// mostPages are the largest of these: what is wanted, or the API has allowed.
	mostPages map[string]*atomic.Int64
	answered  atomic.Bool // anything came back in this run that may be the API's
	// compression is decided for each endpoint: they may lie behind different servers.
	compression map[string]*compression
	deciding    sync.Mutex // about that
	// large is the one place for a page whose text is larger than maxKept.
	large chan struct{}
}

// New returns a client whose requests carry key to base and nowhere else.
func New(next http.RoundTripper, base *url.URL, key Secret, pageSize int) *Client {
	sizes := map[string]*atomic.Int64{Events: {}, Feed: {}}
	most := map[string]*atomic.Int64{Events: {}, Feed: {}}
	for endpoint := range sizes {
		sizes[endpoint].Store(int64(pageSize))
		most[endpoint].Store(int64(pageSize))
	}
	jar, secrets := newCookies(), newSecrets(key)
	secrets.untold = func() []string { return jar.values(base) }
	return &Client{
		base: base, pageSizes: sizes, mostPages: most, secrets: secrets, large: make(chan struct{}, 1),
		compression: map[string]*compression{Events: {}, Feed: {}},
		wire:        &originGuard{next: next, base: base, key: key, cookies: jar},
	}
}

// Page asks for a page and returns its body, not yet decoded, in the memory of into.
// Token is nil for the events endpoint.
func (c *Client) Page(ctx context.Context, endpoint string, a Request, token *Access, into *Buffer) (string, RateLimit, error) {
	path := eventsPath
	if token != nil {
		path = token.path
	}
	size := cmp.Or(a.Limit, int(c.pageSizes[endpoint].Load()))
	query := url.Values{"limit": {strconv.Itoa(size)}}
	if a.Cursor != "" {
		query.Set("cursor", a.Cursor)
	}
	if a.Bounded {
		query.Set("until", strconv.FormatInt(a.Until, 10))
	}
	req, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return "", RateLimit{}, err
	}
	if token != nil {
		req.Header.Set(token.header, token.token)
	}
	way, began := c.compression[endpoint], time.Now()
	c.deciding.Lock()
	asked := way.ask()
	c.deciding.Unlock()
	if asked {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	into.Limit = size
	body, how, err := c.do(endpoint, req, a, maxPage, into)
	var large *decode.TooLarge
	if errors.As(err, &large) {
		large.Asked = size
		large.Elements, large.Counted = decode.ElementsWithin(into.Text())
	}
	gzipped := how.gzipped
	if err == nil && asked && gzipped && !braced(body) {
		// It will be asked for again, and so not in the same way.
		err = fmt.Errorf("%w: the %s endpoint compressed something else", decode.ErrMalformed, endpoint)
	}
	c.deciding.Lock()
	defer c.deciding.Unlock()
	switch {
	case err == nil && a.Limit == 0:
		way.came(len(body), time.Since(began), asked, gzipped)
	case err != nil && asked && ctx.Err() == nil && (large == nil || !large.Counted):
		err = way.blame(err)
	}
	if err != nil {
		return "", how.stated, err
	}
	if a.Limit == 0 {
		c.grow(endpoint, size, len(body))
	}
	return body, how.stated, nil
}

// HasAnswered reports whether the API, or what may be the API, has answered in this run.
func (c *Client) HasAnswered() bool { return c.answered.Load() }

// HasSecret reports whether a text contains the key or a token of the feed.
func (c *Client) HasSecret(text string) bool { return c.secrets.in(text) }

// PageSize returns how many events the next request to the endpoint asks for; 0 for stream-access.
func (c *Client) PageSize(endpoint string) int {
	if size := c.pageSizes[endpoint]; size != nil {
		return int(size.Load())
	}
	return 0
}

// DecodeError says of a body that is no page which endpoint sent it, and whether the API has sent
// anything in this run.
func (c *Client) DecodeError(endpoint string, of *Buffer, err error) error {
	var large *decode.TooLarge
	if errors.As(err, &large) {
		large.Endpoint, large.Asked = endpoint, of.Limit
		return large
	}
	if !c.answered.Load() {
		err = fmt.Errorf("%w: %w", ErrNoAPI, err)
	}
	return fmt.Errorf("read a page of the %s endpoint: %w", endpoint, err)
}

// braced reports whether a body begins and ends as a page does.
func braced(body string) bool {
	body = strings.TrimSpace(body)
	return strings.HasPrefix(body, "{") && strings.HasSuffix(body, "}")
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	ref, err := url.Parse(path)
	if err != nil {
		return nil, fmt.Errorf("read the path that the API named: %w", err)
	}
	u := c.base.ResolveReference(ref)
	u.RawQuery = query.Encode()
	return http.NewRequestWithContext(ctx, method, u.String(), body)
}

// response says how an answer came, beside its body.
type response struct {
	gzipped bool
	stated  RateLimit
}

// do sends the request and returns the whole body of a 200, inflated and of no more than limit
// bytes, and how it came; everything else is an error: *APIError where the API answered. There
// is no http.Client between it and the wire, as that reads where a redirect leads even if it
// does not follow.
func (c *Client) do(endpoint string, req *http.Request, asked Request, limit int64, into *Buffer) (_ string, how response, err error) {
	defer func() { err = c.secrets.hide(endpoint, err) }()
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	carrier := &connection{end: cancel}
	watchdog := newWatchdog(func(d time.Duration) {
		carrier.giveUp(fmt.Errorf("the %s endpoint sent too little for %s", endpoint, d))
	})
	defer watchdog.stop()
	tracked, release := carrier.track(ctx, endpoint)
	defer release()
	failpoint.Hit("f1")
	resp, err := c.wire.RoundTrip(req.WithContext(tracked))
	if err != nil {
		err = because(ctx, endpoint, err)
		var answer *APIError
		if errors.As(err, &answer) {
			c.answered.Store(true)
		}
		return "", how, err
	}
	how.stated = readStated(resp.Header, time.Now())
	into.Cached = isCached(resp.Header)
	failpoint.Hit("f2")
	defer func() { _ = resp.Body.Close() }()
	watchdog.Reader = resp.Body
	if resp.StatusCode != http.StatusOK {
		c.answered.Store(true)
		if resp.StatusCode == http.StatusSwitchingProtocols {
			carrier.close() // it speaks no HTTP any more
		}
		return "", how, answerError(endpoint, resp, errorBody(resp, watchdog), asked)
	}
	// What inflates to nothing must end, too.
	wire := limit + 1
	if asked.Squeezed {
		wire = decode.MaxSqueezed + 1
	}
	content, gzipped, err := decompressed(resp, io.LimitReader(watchdog, wire))
	how.gzipped = gzipped
	into.cuts = nil
	if err == nil && asked.Squeezed {
		squeezer := decode.NewSqueezer(content)
		content, into.cuts = squeezer, squeezer.Cuts
	}
	if err == nil {
		err = into.read(content, resp.ContentLength, limit, func() error { return into.takeLargeSlot(ctx, c.large) })
	}
	// A page of a login, or another server's, is none of the API's answers.
	if err != nil || bytes.HasPrefix(bytes.TrimLeft(into.text, " \t\r\n"), []byte("{")) {
		c.answered.Store(true)
	}
	switch {
	case err != nil && (watchdog.broken || ctx.Err() != nil):
		return "", how, because(ctx, endpoint, err)
	case errors.Is(err, decode.ErrEndless):
		return "", how, &decode.TooLarge{Endpoint: endpoint, Limit: fmt.Sprintf("%d MiB", int64(decode.MaxSqueezed)>>20)}
	case err != nil:
		return "", how, fmt.Errorf("%w: the %s endpoint sent what cannot be decompressed: %w", decode.ErrMalformed, endpoint, err)
	case int64(len(into.text)) > limit:
		return "", how, &decode.TooLarge{Endpoint: endpoint, Limit: fmt.Sprintf("%d MiB", limit>>20)}
	}
	if refusal := refusalIn(endpoint, resp, into.text, asked); refusal != nil {
		return "", how, refusal
	}
	return into.Text(), how, nil
}

// refusalIn returns the error of an answer 200 whose body is no page but says that the endpoint
// was asked too often, as one behind a gateway may.
func refusalIn(endpoint string, resp *http.Response, body []byte, asked Request) error {
	if len(body) > maxErrorBody || bytes.Contains(body, []byte(`"data"`)) || bytes.Contains(body, []byte(`"streamAccess"`)) {
		return nil
	}
	if e := answerError(endpoint, resp, body, asked); e.Means == MeansRateLimited {
		return e
	}
	return nil
}

// because says why a request failed: by the watchdog's word where it bit.
func because(ctx context.Context, endpoint string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var answer *APIError
	if errors.As(err, &answer) {
		return err // which says who answered
	}
	if errors.Is(err, net.ErrClosed) {
		err = errors.New("its connection was given up, as another request got too little by it")
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "proxyconnect" {
		err = fmt.Errorf("reach the proxy of the environment (HTTPS_PROXY): %w", err)
	}
	return fmt.Errorf("ask the %s endpoint: %w", endpoint, err)
}
