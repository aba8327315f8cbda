package ingest

import (
	"context"
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/pacer"
	"datasync/internal/model"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// unnamedWait is how long an endpoint is left alone that asks for a wait
	// without naming one; it doubles up to longestUnnamed while that goes on.
	unnamedWait    = 5 * time.Second
	longestUnnamed = time.Minute
	// shortWait is how long a wait must be to be kept as it was named, time after time. A
	// shorter one is at least leastWait, which doubles up to unnamedWait.
	shortWait, leastWait = time.Second, 10 * time.Millisecond
	// firstPause is how long the feed counts as closed when it lets nobody in; it doubles up to
	// longestPause while that goes on.
	firstPause, longestPause = time.Second, 30 * time.Second
	// manyLimited is how many 429s in a row, with no page between, may be the last
	// ones.
	manyLimited = 10
)

// endpoints knows when each endpoint may be asked again and which serves the next page:
// the events endpoint where it is open, else the feed, else the first to open. It is
// shared by all walks.
type endpoints struct {
	client                *api.Client
	tokens                *tokens
	maxWait, maxRetryTime time.Duration
	// remember is told of each wait that was asked for, before anything else
	// happens, so that the next run keeps it too.
	remember func(endpoint string, wait time.Duration) error
	notice   func(string)
	progress *Progress
	// lines are who waits for any endpoint, and who waits for the feed: one after the other.
	any, feedOnly line

	mu    sync.Mutex
	gates map[string]*gate
	// changed is closed when something may be asked sooner than it seemed.
	changed chan struct{}
	// atOnce says how many requests there may be at a time. Needed is how many more pages
	// are wanted, as far as that is known.
	atOnce  func() int
	workers *pacer.Workers
	needed  func() int
	// quickest is the shortest time that an answer took, took what the last page did.
	quickest, took time.Duration
	feedGone       bool
	toldHeldOff    bool      // that the feed serves for long as the events endpoint is closed
	refused        int       // tokens in a row that the feed refused
	denied         int       // pauses of the feed since its last page, as it let nobody in
	deniedSince    time.Time // the first of them
	had            bool      // the feed has sent a page in this run
	accessWaits    int       // that stream-access asked for since then
	streak         int       // 429s since the last page
	since          time.Time // the first of them

	// began is when the pull did; cachesAll says that a cache answers whatever is asked.
	began     time.Time
	cachesAll atomic.Bool

	pages int64 // that came
	clock pacer.Clock
	speed pacer.Speed
	rate  float64 // that was allowed last, in requests a second, as far as known
	// whole is how many requests for whole pages are under way, most how many have been at a
	// time.
	whole, most int
}

// gate is one endpoint: when it may be asked again, and what was asked.
type gate struct {
	name   string
	opens  time.Time
	why    string // it was closed last
	vain   int    // waits in a row that it named none for, or a short one
	budget pacer.Budget
	out    int       // requests under way
	last   time.Time // when the last one went out
	// tooLarge is the first page that was too large, shrunkTo how many events were asked for in its
	// place; toldLarge says that a person knows.
	tooLarge  *decode.TooLarge
	shrunkTo  int
	toldLarge bool

	limited, requests int64
}

func newEndpoints(c *api.Client, opts Options, opens map[string]time.Time, remember func(string, time.Duration) error) *endpoints {
	e := &endpoints{
		client: c, tokens: newTokens(c), began: time.Now(), maxWait: opts.MaxWait, maxRetryTime: opts.MaxRetryTime,
		remember: remember, notice: opts.Notice, progress: opts.Progress,
		any: newLine(), feedOnly: newLine(), gates: map[string]*gate{}, changed: make(chan struct{}),
		atOnce: func() int { return 1 }, needed: func() int { return 0 }, workers: pacer.NewWorkers(mostWorkers),
	}
	for _, name := range []string{api.Events, api.Feed, api.StreamAccess} {
		e.gates[name] = &gate{name: name, opens: opens[name]}
		if !opens[name].IsZero() {
			e.gates[name].why = "asked in an earlier run"
		}
	}
	// The feed's token may have to be fetched first.
	if access, feed := e.gates[api.StreamAccess], e.gates[api.Feed]; access.opens.After(feed.opens) {
		feed.opens, feed.why = access.opens, access.why
	}
	return e
}

// plan says how many requests there may be at a time from now on, and how many pages are
// wanted.
func (e *endpoints) plan(atOnce, needed func() int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.atOnce, e.needed = atOnce, needed
}

// goal returns how many walks are worth while, and how long the last page took: no more than
// it takes to spend what the limits allow.
func (e *endpoints) goal() (n int, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n = e.workers.Goal()
	if rate := e.allowed(); rate > 0 {
		n = min(n, 1+int(math.Ceil(spare*rate*e.took.Seconds())))
	}
	return n, e.took
}

// spare is how many more requests at a time there are than keep up with the limits on
// average.
const spare = 1.2

// plenty reports whether so many requests may go out soon without a wait for a limit.
func (e *endpoints) plenty(requests int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return requests <= e.room(time.Now(), 0)
}

// line lets one at a time through, in the order in which they came.
type line chan struct{}

func newLine() line { return make(line, 1) }

func (l line) enter(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l line) leave() { <-l }

// caller is one walk, as endpoints see it. It is used by one request at a time.
type caller struct {
	// avoid is the endpoint that is asked only where the other one is closed.
	avoid string
	// waited is how long the walk has waited because endpoints were closed.
	waited time.Duration
}

// pageTime returns how long a page took on average, waits included; 0 where none
// has come yet.
func (e *endpoints) pageTime() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pages == 0 {
		return 0
	}
	fetching, waiting := e.clock.Spent(time.Now())
	return (fetching + waiting) / time.Duration(e.pages)
}

// hopelessFeed is feedIsHopeless for who does not hold the lock.
func (e *endpoints) hopelessFeed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.feedIsHopeless(time.Now())
}

// closedFor returns until when the events endpoint wants to be left alone, if that is for longer than a
// pull may wait.
func (e *endpoints) closedFor() (until time.Time, closed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	until = e.gates[api.Events].opens
	return until, time.Until(until) > e.maxWait
}

// orClosed returns err, or, where the events endpoint wants to be left alone for longer than a pull may
// wait and the feed failed meanwhile, an ErrClosed that says until when.
func (e *endpoints) orClosed(ctx context.Context, err error) error {
	var file *model.FileError
	until, closed := e.closedFor()
	if !closed || ctx.Err() != nil || errors.As(err, &file) || errors.Is(err, api.ErrKeyRefused) || errors.Is(err, ErrClosed) || errors.Is(err, errPartLost) {
		return err
	}
	//nolint:errorlint // the wait is why the pull ends, whatever the feed's error is
	return fmt.Errorf("%w: come back at %s; meanwhile %v", ErrClosed, until.UTC().Format(time.RFC3339), err)
}

// sent is how many requests were sent, to all endpoints.
func (e *endpoints) sent() (requests int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range e.gates {
		requests += g.requests
	}
	return requests
}

// withoutFeed reports whether the run goes on without the feed.
func (e *endpoints) withoutFeed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.feedGone
}

const soonEnough = time.Second

// errNoBound: the page that a bounded ask wants cannot be had.
var errNoBound = errors.New("the feed gives no pages by time")

// errRefusedBound: the feed refuses this very bound. Where it has taken others, the bound most
// likely lies outside of the time that the API has events of.
var errRefusedBound = fmt.Errorf("%w: it refuses this one", errNoBound)

// maxClosed is how often the feed may let nobody in before a bounded page is given
// up.
const maxClosed = 5

// page asks whichever endpoint may be asked for the page, until one answers
// something else than that it wants to be left alone. Only the feed is asked for a
// bounded page; it fails with errNoBound where the feed does not give it. The body lies
// in the memory of into.
func (e *endpoints) page(ctx context.Context, c *caller, a api.Request, into *api.Buffer) (body, endpoint string, err error) {
	for closed := 0; ; {
		if feedOnly(a) && (closed > maxClosed || e.withoutFeed() || closed > 0 && e.hopelessFeed()) {
			return "", api.Feed, errNoBound
		}
		at, err := e.choose(ctx, c, a)
		if errors.Is(err, errFeedClosed) {
			closed++
			continue
		}
		if err != nil {
			return "", "", err
		}
		g := at.gate
		body, err = e.get(ctx, at, a, into)
		if g.name == api.Feed {
			err = e.readFeed(at, a, err)
		}
		var answer *api.APIError
		switch {
		case err == nil:
			e.came(g)
			return body, g.name, nil
		case errors.Is(err, errFeedClosed):
			closed++
		case errors.As(err, &answer) && answer.Means == api.MeansRateLimited:
			err := e.limit(g, answer)
			if feedOnly(a) && errors.Is(err, ErrLimited) {
				e.forgive()
				err = fmt.Errorf("%w: %w", errNoBound, err)
			}
			if err != nil {
				return "", g.name, err
			}
		case errors.As(err, &answer) && answer.Means == api.MeansPageTooLarge:
			size := e.client.LimitRefused(g.name, at.asked, answer)
			if size == 0 {
				return "", g.name, err
			}
			e.notice(fmt.Sprintf("%v: asking for pages of %d from now on", err, size))
		case errors.As(err, &answer) && answer.Named:
			return "", g.name, errors.Join(err, e.close(g))
		default:
			if !e.shrinks(g.name, &a, err) {
				return "", g.name, err
			}
		}
	}
}

func (e *endpoints) came(g *gate) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if text := e.shrunk(g); text != "" {
		e.notice(text)
	}
	g.vain, e.streak = 0, 0
	e.pages++
	fetching, _ := e.clock.Spent(time.Now())
	e.speed.Came(e.pages, fetching)
}

// left is about how long so many pages take: as long as the last ones did, or as the limits
// have it.
func (e *endpoints) left(pages float64) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	rate := e.speed.Rate()
	if rate == 0 {
		return 0
	}
	var budgets []*pacer.Budget
	var closed time.Duration // until an endpoint may be asked
	for i, g := range e.pageGates() {
		budgets = append(budgets, &g.budget)
		if wait := max(0, g.opens.Sub(now)); i == 0 || wait < closed {
			closed = wait
		}
	}
	fetching := time.Duration(pages / rate * float64(time.Second))
	return max(closed+fetching, pacer.Left(int(math.Ceil(pages)), now, budgets...)+e.took)
}

// floor is the least time in which so many pages could be had from the API: as one walk, the
// time that it took for answers and that its limits had to be waited for; else what its limits
// allow for all pages, or its best throughput under load, whichever is slower.
func (e *endpoints) floor(pages float64) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	fetching, waiting := e.clock.Spent(now)
	if e.most < 2 {
		return fetching + waiting
	}
	seconds := 0.0
	for _, rate := range []float64{e.clock.Allowed(now), e.workers.Throughput()} {
		if rate > 0 {
			seconds = max(seconds, pages/rate)
		}
	}
	return time.Duration(seconds * float64(time.Second))
}

func (e *endpoints) forgive() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.streak = 0
}

// get sends one request for a page.
func (e *endpoints) get(ctx context.Context, at place, a api.Request, into *api.Buffer) (string, error) {
	e.progress.asking(at.name)
	body, stated, err := e.client.Page(ctx, at.name, a, at.token, into)
	e.answered(at, stated, err)
	var answer *api.APIError
	if stated.Wait > 0 && !errors.As(err, &answer) {
		err = errors.Join(err, e.remember(at.name, stated.Wait))
	}
	return body, err
}

// answered takes note of the end of a request. One for a whole page tells how fast the API
// is.
func (e *endpoints) answered(at place, stated api.RateLimit, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, g, sent := time.Now(), at.gate, at.sent
	g.out--
	if at.whole {
		e.whole--
	}
	e.clock.End(pacer.Fetching, now)
	took := now.Sub(sent)
	var answer *api.APIError
	isAnswer := errors.As(err, &answer)
	limited := isAnswer && answer.Means == api.MeansRateLimited
	if limited || isAnswer && answer.Named {
		e.shut(g, answer, now)
	}
	if until := now.Add(stated.Wait); !isAnswer && stated.Wait > 0 && until.After(g.opens) {
		g.opens, g.why = until, "Retry-After"
	}
	if err == nil || isAnswer {
		if e.quickest == 0 || took < e.quickest {
			e.quickest = max(took, 1)
		}
	}
	switch {
	case limited:
		if answer.Named {
			g.budget.Refused(sent, now, answer.Wait)
		}
	case err == nil:
		if stated.Requests > 0 {
			g.budget.Stated(sent, stated.Requests, stated.Remaining, stated.Reset)
		}
		more := g.budget.Granted(sent)
		rate := e.allowed()
		if more || e.rate > 0 && rate > e.rate*1.1 {
			e.workers.MoreAllowed()
		}
		if rate > 0 {
			e.rate = rate
		}
		if at.whole {
			e.took = took
			e.workers.Answered(at.inFlight, took, e.spent(now))
		}
	}
	e.clock.Allow(e.allowed(), now)
	close(e.changed)
	e.changed = make(chan struct{})
}

// allowed is how many requests a second the endpoints allow together; 0 where that is not
// known of all of them.
func (e *endpoints) allowed() float64 {
	sum := 0.0
	for _, g := range e.pageGates() {
		rate := g.budget.Rate()
		if rate == 0 {
			return 0
		}
		sum += rate
	}
	return sum
}

// pageGates are the endpoints that give pages in this run.
func (e *endpoints) pageGates() []*gate {
	if e.feedGone {
		return []*gate{e.gates[api.Events]}
	}
	return []*gate{e.gates[api.Events], e.gates[api.Feed]}
}

// spent reports whether no endpoint has a place for a request now.
func (e *endpoints) spent(now time.Time) bool {
	for _, g := range e.pageGates() {
		if !e.next(g, now).After(now) {
			return false
		}
	}
	return true
}

// limit takes a 429 in, and gives up where nothing else has come for long.
func (e *endpoints) limit(g *gate, answer *api.APIError) error {
	if err := e.close(g); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.streak++; e.streak == 1 {
		e.since = time.Now()
	}
	if e.streak >= manyLimited && time.Since(e.since) > e.maxRetryTime {
		return fmt.Errorf("%w: %d times in %s", ErrLimited, e.streak, time.Since(e.since).Round(time.Second))
	}
	return nil
}

// close has the wait for which the endpoint was shut remembered.
func (e *endpoints) close(g *gate) error {
	e.mu.Lock()
	wait := time.Until(g.opens)
	e.mu.Unlock()
	return e.remember(g.name, max(wait, 0))
}

// shut leaves the endpoint alone for as long as it asked, and a little longer, so that clients
// that were told the same do not come back together. The lock is held.
func (e *endpoints) shut(g *gate, answer *api.APIError, now time.Time) {
	wait := answer.Wait
	switch {
	case !answer.Named:
		wait = min(unnamedWait<<min(g.vain, 8), longestUnnamed)
		g.vain++
	case wait < shortWait:
		// One that names none at all each time would be asked thousands of times a second.
		wait = max(wait, min(leastWait<<min(g.vain, 16), unnamedWait))
		g.vain++
	}
	wait += time.Duration(rand.Float64() * float64(min(wait/10, time.Second)))
	g.why = strconv.Itoa(answer.Status)
	if answer.Means == api.MeansRateLimited {
		g.limited++
	}
	if until := now.Add(wait); until.After(g.opens) {
		g.opens = until
	}
}
