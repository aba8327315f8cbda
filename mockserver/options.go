package mockserver

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Omitted leaves the member out of the answer, as one of the options that
// state a raw JSON value.
const Omitted = "omitted"

// Options describe a server. The zero value is a plain one without limits or
// faults: three million events, pages of up to 5,000, any key. All durations
// are divided by TimeScale.
type Options struct {
	Data DataOptions

	// Key is the API key; with an empty one any non-empty key is accepted.
	// The header X-API-Key counts; see Strict for the cookie.
	Key string
	// KeyRequests is how many requests the key is good for, KeyLife how long
	// from its first use; 401 afterwards. 0: for ever.
	KeyRequests int
	KeyLife     time.Duration

	// TimeScale, 1 to 10, divides all lifetimes, windows, waits and
	// latencies. Default 1. What is scaled goes out as decimals in JSON and
	// rounded up to whole seconds in headers.
	TimeScale float64

	// Strict demands what the API's description does, though the live service
	// lets requests pass without it:
	//
	//   - the cookie dashboard_api_key beside the header X-API-Key, with the
	//     same key; else 401
	//   - of stream-access a browser-like User-Agent, whatever
	//     Access.RefuseScripts says, and Content-Type application/json; else
	//     403 DASHBOARD_REQUIRED
	//
	// Verify reports requests without these in either case.
	Strict bool

	Events Pages
	Feed   Pages
	Access Access
	Cursor Cursors
	// Sessions and Bulk are the limits of SessionsPath, with all below it, and
	// BulkPath. No limit of the other further endpoints is known.
	Sessions, Bulk RateLimit
	// Changes come one after the other while the server runs.
	Changes []Change

	// Flat puts hasMore, nextCursor and the rest beside data, without
	// pagination and meta.
	Flat bool
	// TailFirst puts data behind all other members of a page.
	TailFirst bool
	LastPage  LastPage
	// StatedTotal replaces meta.total: raw JSON, or Omitted. Empty: the truth.
	StatedTotal string

	// RepeatAcross begins every page after the first with the last event of
	// the page before; RepeatWithin puts every Nth event twice into its page
	// (0: none). Both count towards the limit. RepeatChanged gives the second
	// copy another name.
	RepeatAcross  bool
	RepeatWithin  int
	RepeatChanged bool

	// ChaosRate is the share (0 to 1) of the feed's pages that carry
	// X-Chaos-Applied. In each, ChaosEvents events lack one required field,
	// in this reading only; with 0 nothing is missing in spite of the header.
	ChaosRate   float64
	ChaosEvents int

	// OmitErrorCode leaves the member code out of error bodies.
	OmitErrorCode bool
	// ClockSkew moves the clock of the Date header and of Retry-After dates.
	// It is not scaled.
	ClockSkew time.Duration

	// Gzip compresses pages for clients that accept it.
	Gzip bool
	// Rate is the link's, in bytes a second: the body of every answer goes out so,
	// each by itself. It is multiplied by TimeScale. 0: as fast as it is read.
	Rate int64

	// FaultSeed seeds the draw of Random faults, tokens and request ids.
	FaultSeed uint64
	Random    []RandomFault
	Scripts   []Script

	// Grace is how long after an answer with a wait requests may still come
	// in without being a violation: those that other connections had sent
	// already. Default 0; not scaled.
	Grace time.Duration
}

// Pages describe one of the two endpoints that serve pages.
type Pages struct {
	// Cap is the largest page, in events; more may be asked for. Default 5,000.
	Cap int
	// DefaultLimit is the page size where no limit is sent. Default 100.
	DefaultLimit int
	RateLimit    RateLimit
	// Since and Until say how the bounds are honoured.
	Since, Until Bound
	// RefuseMixed answers 400 where a cursor and a bound come together.
	RefuseMixed bool
	// OutsideStatus, such as 418, answers a request whose cursor, since or
	// until lies before the oldest event or after the newest, whether the
	// endpoint honours the bound or not. 0: such a request is answered as usual.
	OutsideStatus int
	// EpochOnly sends every timestamp as a number.
	EpochOnly bool
	// Latency comes before every answer; Load adds to that of pages by the
	// number of requests in flight.
	Latency time.Duration
	Load    []LoadPoint
	// CacheTTL is how long an identical request is a cache hit: not counted
	// by the rate limit, and answered as before, with a cursor that has aged
	// since. 0: no cache and no X-Cache headers.
	CacheTTL time.Duration
}

// Access describes stream-access.
type Access struct {
	RateLimit RateLimit
	Latency   time.Duration
	// RefuseScripts answers 403 DASHBOARD_REQUIRED unless the request has a
	// browser-like User-Agent.
	RefuseScripts bool
	// FeedPaths are handed out in turn, all of them valid at any time. They
	// are not checked: they may be as unsafe as one likes. Default:
	// DefaultFeedPath alone.
	FeedPaths []string
	// TokenHeader defaults to X-Stream-Token.
	TokenHeader string
	// TokenLife defaults to 300 s; StatedLife replaces expiresIn: raw JSON,
	// or Omitted. Empty: the truth, in seconds.
	TokenLife  time.Duration
	StatedLife string
}

// Cursors describe how pages are chained.
type Cursors struct {
	// Life defaults to 119 s; StatedLife replaces cursorExpiresIn: raw JSON,
	// or Omitted. Empty: the truth, in seconds.
	Life       time.Duration
	StatedLife string
	// Signed refuses every cursor that this server has not made.
	Signed bool
	// ForgetBounds makes a cursor from a page with since lead on past it.
	ForgetBounds bool
	// Wrap stands before every cursor and must come back unchanged. It may
	// hold any character, and be of any length.
	Wrap string
	// ErrorStatus, 400 to 599, answers an expired or invalid cursor. Default
	// 400. From 500 on the body is that of any failure: it does not name the
	// cursor.
	ErrorStatus int
	// Unnamed makes the body such a one whatever the status.
	Unnamed bool
	// ShortWords says CURSOR_INVALID for CURSOR_INVALID_FORMAT; SwapWords
	// says INVALID_CURSOR, and EXPIRED_CURSOR for CURSOR_EXPIRED.
	ShortWords bool
	SwapWords  bool
	// Loop makes the cursors of a walk repeat: 1 gives the same one for ever,
	// 2 goes A, B, A and so on. With LoopRenewed they come to the same
	// positions, but differ as text. 0: no loop.
	Loop        int
	LoopRenewed bool
}

// Bound says what a since or until parameter, in epoch milliseconds or ISO
// 8601, does.
type Bound uint8

// An exclusive bound leaves out its own millisecond.
const (
	Ignored Bound = iota
	Exclusive
	Inclusive
)

// LastPage says how the end of the data is told.
type LastPage uint8

// The ways to end. All but LastHasMore say hasMore false on the last page.
const (
	LastNull       LastPage = iota // nextCursor null
	LastEmptyText                  // nextCursor ""
	LastMissing                    // no nextCursor
	LastExtra                      // a cursor, which leads to an empty page that ends with null
	LastHasMore                    // hasMore true and nextCursor null, wrongly
	LastWithCursor                 // hasMore false and a cursor all the same
)

// RateLimit is a budget by fixed windows, which begin with a request.
type RateLimit struct {
	// Requests a window; 0: no limit.
	Requests int
	// Window defaults to 60 s.
	Window time.Duration
	// Headers puts X-RateLimit-Limit, -Remaining and -Reset on every answer;
	// the last is in seconds left, or as ResetEpochHeader says.
	Headers bool
	// Named are the places in which a 429 names the wait; none is possible.
	Named Named
	// RawRetryAfter replaces the header Retry-After, RawBody the body of a
	// 429. Verify counts on neither.
	RawRetryAfter string
	RawBody       string
}

// Named is a set of places in which an answer names a wait.
type Named uint8

// The places. X-RateLimit-Reset also appears with RateLimit.Headers.
const (
	RetryAfterSeconds Named = 1 << iota // header Retry-After: 28
	RetryAfterDate                      // header Retry-After as HTTP date, in place of seconds
	ResetHeader                         // header X-RateLimit-Reset: 28
	RetryAfterBody                      // body rateLimit.retryAfter
	ResetBody                           // body rateLimit.reset
	ResetEpochHeader                    // header X-RateLimit-Reset as epoch seconds, in place of seconds left
	RetryAfterTop                       // body retryAfter
)

// LoadPoint is one point of a load curve: the latency of a page of 5,000
// events with so many requests in flight, itself included. Between points,
// and beyond the last two, the curve is a straight line; the latency is
// proportional to the events of the page.
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

// Validate reports the options that make no sense, joined.
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

// isError reports whether a status is one of an error.
func isError(status int) bool { return status >= 400 && status <= 599 }
