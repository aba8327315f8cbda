package mockserver

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Omitted leaves the member out of the answer, as an option that is a raw JSON value.
const Omitted = "omitted"

// Options describe a server. Their zero value has no limits and no faults: three million events,
// pages of up to 5,000, any key. All durations are divided by TimeScale.
type Options struct {
	Data DataOptions

	// Key is the API key, which the header X-API-Key must hold; see Strict for the cookie. If it
	// is empty, the server accepts any non-empty key.
	Key string
	// KeyRequests is how many requests may use the key, KeyLife how long from its first use. Then
	// it gets 401. 0 is unlimited.
	KeyRequests int
	KeyLife     time.Duration

	// RevealAfter is how long after the first request Dataset.Reveal is called. 0 means never.
	RevealAfter time.Duration

	// TimeScale, 1 to 10, divides all lifetimes, windows, waits and latencies. Default 1. Scaled
	// times are decimals in JSON and rounded up to whole seconds in headers.
	TimeScale float64

	// Strict requires what the API's description does, though the live service accepts requests
	// without it:
	//
	//   - the cookie dashboard_api_key beside the header X-API-Key, with the
	//     same key; else 401
	//   - for stream-access a browser-like User-Agent, even without
	//     Access.RefuseScripts, and Content-Type application/json; else
	//     403 DASHBOARD_REQUIRED
	//
	// Verify reports requests without these even if Strict is not set.
	Strict bool

	Events Pages
	Feed   Pages
	Access Access
	Cursor Cursors
	// Sessions is the limit of SessionsPath and the paths below it, Bulk that of BulkPath. The
	// limits of the other endpoints are unknown.
	Sessions, Bulk RateLimit
	// Changes replace options while the server runs, in order.
	Changes []Change

	// Flat puts hasMore, nextCursor and cursorExpiresIn beside data, without pagination and meta.
	Flat bool
	// TailFirst puts data after all other members of a page.
	TailFirst bool
	LastPage  LastPage
	// StatedTotal replaces meta.total: raw JSON, or Omitted. Empty is the true number.
	StatedTotal string

	// RepeatAcross begins each page after the first with the last event of the page before.
	// RepeatWithin puts every Nth event twice into its page (0: none). Both count towards the
	// limit. RepeatChanged gives the second copy another name.
	RepeatAcross  bool
	RepeatWithin  int
	RepeatChanged bool

	// ChaosRate is the share (0 to 1) of the feed's pages with X-Chaos-Applied. In each,
	// ChaosEvents events lack a required field, in this answer only. With 0 no field is missing
	// in spite of the header.
	ChaosRate   float64
	ChaosEvents int

	// OmitErrorCode leaves the member code out of error bodies.
	OmitErrorCode bool
	// ClockSkew moves the clock of the Date header and of Retry-After dates.
	// It is not scaled.
	ClockSkew time.Duration

	// Gzip compresses pages for clients that accept it.
	Gzip bool
	// Rate is the speed of each answer's body in bytes per second, multiplied by TimeScale. 0 is
	// unlimited.
	Rate int64

	// FaultSeed seeds Random faults, tokens and request ids.
	FaultSeed uint64
	Random    []RandomFault
	Scripts   []Script

	// Grace is how long after an answer with a wait a request is not a violation: other connections
	// may have sent theirs before. Default 0; not scaled.
	Grace time.Duration
}

// Pages describe one of the two page endpoints.
type Pages struct {
	// Cap is the size of the largest page in events, even if limit is greater. Default 5,000.
	Cap int
	// DefaultLimit is the page size without the parameter limit. Default 100.
	DefaultLimit int
	RateLimit    RateLimit
	// Since and Until say what the bounds do.
	Since, Until Bound
	// RefuseMixed answers 400 to a cursor together with a bound.
	RefuseMixed bool
	// OutsideStatus, such as 418, answers a request whose cursor, since or until is before the
	// oldest event or after the newest. That holds even if the endpoint ignores the bound. 0
	// answers such a request as usual.
	OutsideStatus int
	// EpochOnly sends every timestamp as a number.
	EpochOnly bool
	// Latency is that of every answer. Load adds to that of pages, by the number of requests in
	// flight.
	Latency time.Duration
	Load    []LoadPoint
	// CacheTTL is how long an identical request is a cache hit: the rate limit does not count it,
	// and the answer has the events of before and a cursor with less time left. 0 means no cache
	// and no X-Cache headers.
	CacheTTL time.Duration
}

// Access describes stream-access.
type Access struct {
	RateLimit RateLimit
	Latency   time.Duration
	// RefuseScripts answers 403 DASHBOARD_REQUIRED unless the request has a
	// browser-like User-Agent.
	RefuseScripts bool
	// FeedPaths are returned in turn; all are valid at any time. They may be unsafe: they are not
	// checked. The default is DefaultFeedPath alone.
	FeedPaths []string
	// TokenHeader defaults to X-Stream-Token.
	TokenHeader string
	// TokenLife defaults to 300 s. StatedLife replaces expiresIn: raw JSON, or Omitted. Empty is
	// the true lifetime in seconds.
	TokenLife  time.Duration
	StatedLife string
}

// Cursors describe the cursors of pages.
type Cursors struct {
	// Life defaults to 119 s. StatedLife replaces cursorExpiresIn: raw JSON, or Omitted. Empty is
	// the true lifetime in seconds.
	Life       time.Duration
	StatedLife string
	// Signed refuses all cursors that this server has not made.
	Signed bool
	// ForgetBounds makes the cursor of a page with since forget that bound.
	ForgetBounds bool
	// Wrap is a prefix of every cursor, of any characters and length. It must come back unchanged.
	Wrap string
	// ErrorStatus, 400 to 599, answers an expired or invalid cursor. Default 400. From 500 on the
	// body does not name the cursor.
	ErrorStatus int
	// Unnamed makes the body not name the cursor with any status.
	Unnamed bool
	// ShortWords replaces CURSOR_INVALID_FORMAT by CURSOR_INVALID. SwapWords replaces it by
	// INVALID_CURSOR, and CURSOR_EXPIRED by EXPIRED_CURSOR.
	ShortWords bool
	SwapWords  bool
	// Loop makes the cursors of a walk repeat: 1 always returns the same one, 2 returns A, B, A and
	// so on. With LoopRenewed the positions repeat, but the texts differ. 0 means no loop.
	Loop        int
	LoopRenewed bool
}

// Bound says what the parameter since or until does. Its value is epoch milliseconds or ISO 8601.
type Bound uint8

// Exclusive excludes the bound's own millisecond, Inclusive includes it.
const (
	Ignored Bound = iota
	Exclusive
	Inclusive
)

// LastPage says how the last page is marked.
type LastPage uint8

// The marks. All but LastHasMore have hasMore false on the last page.
const (
	LastNull       LastPage = iota // nextCursor null
	LastEmptyText                  // nextCursor ""
	LastMissing                    // no nextCursor
	LastExtra                      // hasMore true and a cursor to an empty page, which has null
	LastHasMore                    // hasMore true and nextCursor null
	LastWithCursor                 // hasMore false and a cursor
)

// RateLimit is a budget of requests in fixed windows. A window begins with a request.
type RateLimit struct {
	// Requests per window; 0 is unlimited.
	Requests int
	// Window defaults to 60 s.
	Window time.Duration
	// Headers puts X-RateLimit-Limit, -Remaining and -Reset on every answer. Reset is in seconds
	// left, or in epoch seconds with ResetEpochHeader.
	Headers bool
	// Named are the places in which a 429 names the wait, of which there may be none.
	Named Named
	// RawRetryAfter replaces the header Retry-After, and RawBody the body of a 429. Verify ignores
	// both.
	RawRetryAfter string
	RawBody       string
}

// Named is a set of places in which an answer names a wait.
type Named uint8

// The places. X-RateLimit-Reset also appears with RateLimit.Headers.
const (
	RetryAfterSeconds Named = 1 << iota // header Retry-After: 28
	RetryAfterDate                      // header Retry-After as an HTTP date instead
	ResetHeader                         // header X-RateLimit-Reset: 28
	RetryAfterBody                      // body rateLimit.retryAfter
	ResetBody                           // body rateLimit.reset
	ResetEpochHeader                    // header X-RateLimit-Reset in epoch seconds instead
	RetryAfterTop                       // body retryAfter
)

// LoadPoint is a point of a load curve: the latency of a page of 5,000 events with that many requests
// in flight, itself included. The curve is linear between points, and continues the line of the
// last two. The latency is proportional to the number of events on the page.
type LoadPoint struct {
	InFlight int
	Latency  time.Duration
}

func (o Options) withDefaults() Options {
	if o.TimeScale == 0 {
		o.TimeScale = 1
	}
	for _, p := range []*Pages{&o.Events, &o.Feed} {
		p.Cap = cmp.Or(p.Cap, 5000)
		p.DefaultLimit = cmp.Or(p.DefaultLimit, 100)
		p.RateLimit = p.RateLimit.withDefaults()
	}
	for _, l := range []*RateLimit{&o.Access.RateLimit, &o.Sessions, &o.Bulk} {
		*l = l.withDefaults()
	}
	if len(o.Access.FeedPaths) == 0 {
		o.Access.FeedPaths = []string{DefaultFeedPath}
	}
	o.Access.TokenHeader = cmp.Or(o.Access.TokenHeader, DefaultTokenHeader)
	o.Access.TokenLife = cmp.Or(o.Access.TokenLife, 300*time.Second)
	o.Cursor.Life = cmp.Or(o.Cursor.Life, 119*time.Second)
	o.Cursor.ErrorStatus = cmp.Or(o.Cursor.ErrorStatus, http.StatusBadRequest)
	return o
}

// Validate returns an error for each invalid option, joined.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if err := o.Data.Validate(); err != nil {
		errs = append(errs, err)
	}
	check(o.TimeScale >= 1 && o.TimeScale <= 10, "time scale %v: want 1 to 10", o.TimeScale)
	check(o.ChaosRate >= 0 && o.ChaosRate <= 1, "chaos rate %v: want 0 to 1", o.ChaosRate)
	check(o.ChaosEvents >= 0, "chaos in %d events", o.ChaosEvents)
	check(o.Rate >= 0, "rate of %d bytes a second", o.Rate)
	check(o.RepeatWithin >= 0, "repeat every %d events", o.RepeatWithin)
	check(o.Cursor.Loop >= 0, "cursor loop of %d", o.Cursor.Loop)
	check(isError(o.Cursor.ErrorStatus), "status %d for a bad cursor: want 400 to 599", o.Cursor.ErrorStatus)
	check(o.RevealAfter >= 0, "late events after %v", o.RevealAfter)
	check(o.KeyRequests >= 0 && o.KeyLife >= 0, "key for %d requests or %v", o.KeyRequests, o.KeyLife)
	check(o.Cursor.Life > 0 && o.Access.TokenLife > 0, "a lifetime below zero")
	for e, p := range map[Endpoint]Pages{Events: o.Events, Feed: o.Feed} {
		check(p.Cap > 0 && p.DefaultLimit > 0, "%v: page cap %d, default limit %d", e, p.Cap, p.DefaultLimit)
		check(p.Latency >= 0 && p.CacheTTL >= 0, "%v: a duration below zero", e)
		check(rising(p.Load), "%v: load points must rise from 1", e)
		check(p.OutsideStatus == 0 || isError(p.OutsideStatus), "%v: status %d outside the data's time: want 400 to 599", e, p.OutsideStatus)
	}
	for e, l := range map[Endpoint]RateLimit{
		Events: o.Events.RateLimit, Feed: o.Feed.RateLimit, StreamAccess: o.Access.RateLimit, Sessions: o.Sessions, BulkEvents: o.Bulk,
	} {
		check(l.valid(), "%v: rate limit of %d in %v", e, l.Requests, l.Window)
	}
	check(strings.TrimSpace(o.Access.TokenHeader) != "", "token header is blank")
	for i, c := range o.Changes {
		if err := c.validate(); err != nil {
			errs = append(errs, fmt.Errorf("change %d: %w", i, err))
		}
		check(i == 0 || c.After > o.Changes[i-1].After, "change %d: after %v, not later than the one before", i, c.After)
	}
	for i, r := range o.Random {
		check(r.Rate >= 0 && r.Rate <= 1 && r.Endpoint < endpointCount, "random fault %d: rate %v", i, r.Rate)
	}
	for i, s := range o.Scripts {
		if err := s.validate(); err != nil {
			errs = append(errs, fmt.Errorf("script %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// isError reports whether a status is an error's.
func isError(status int) bool { return status >= 400 && status <= 599 }
