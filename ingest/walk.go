package ingest

import (
	"context"
	"database/sql"
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// walk goes from page to page of one window, newer to older.
type walk struct {
	dispatcher   *dispatch.Dispatcher
	client       *api.Client
	decoder      *decode.Decoder
	sheets       *api.BufferPool
	maxRetryTime time.Duration
	renew        bool
	notice       func(string)
	tally        *tally
	requester    dispatch.Requester

	// part is what is walked, floor the instant below which nothing is wanted. While a part
	// starts, its first page may bring nothing newer than bound.
	part   *part
	floor  sql.Null[model.Instant]
	starts bool
	bound  model.Instant
	first  model.Position // with which the part began
	// at is where the next page is; the cursor in it has life to live, until dies, if
	// that is known. Resumed says that it is not the word of the page before.
	at      api.Request
	dies    time.Time
	life    time.Duration
	got     time.Time // when it came
	resumed bool
	// proof is under way where it is not certain that the next page follows.
	proof *proof
	// last is the page behind which the walk stands; below it nothing may have slid past, as totals
	// show.
	last    reading
	totals  totals
	answers atomic.Int64
	// tried is the cursor with which the walk began, after so many runs in a row that failed at
	// it; again counts walks from the newest event.
	tried      string
	failedRuns int64
	again      int

	// low is the position down to which everything from the window's top has been
	// read, by this walk or before it.
	low       sql.Null[model.Position]
	trail     *trail
	alike     decode.AnonymousCounter
	unordered bool
	ahead     *ahead
	rereads   *rereads
	cache     *cacheState
	// known is the instant of the newest event of older windows: copies below it were counted.
	known sql.Null[model.Instant]

	deepest sql.Null[model.Position] // seen at all
	deeper  bool                     // it has gone down since the last way failed
	deaths  int                      // ways that failed in a row
	noTime  bool                     // going on by time has been tried, and not been proven
	dead    string
	renewed string
	pages   int64 // since the walk was at the top
}

// walked is a page on its way to the writer.
type walked struct {
	page     decode.Page
	sheet    *api.Buffer // in which the page lies
	endpoint string
	from     api.Request
	resumed  bool
	received time.Time
	came     int64         // its number among the walk's answers
	took     time.Duration // from the request on
	bytes    int
	// outside counts elements left out, as they lie below the window's floor, or above the
	// first event of a part: there they are the part's above.
	outside int64
	first   model.Position // with which the part began, if it has in this walk
	// last says that the window ends with it; held that it is stored, but that the
	// walk does not stand behind it: it must be asked for again; open that a walk that
	// began behind it could not tell its first rejects from the last ones of this page.
	last, held, open bool
	// unordered says that events of this page or an earlier one did not come in
	// their order.
	unordered bool
	// lastEvent is the position of the page's last element where that is an event.
	lastEvent   model.Position
	lastIsEvent bool
	// copies counts elements that came twice on the page, alike in all fields.
	copies int64
	// secretFrom says that a secret stands in the cursor that asked for it.
	secretFrom bool
	// ranOut says that the API has nothing below the page.
	ranOut bool
	// reached is the event with which the part below began, where the page has it.
	reached sql.Null[model.Position]
}

// ahead is a request that is under way before it is known for certain that its
// page is the next one.
type ahead struct {
	cursor string
	result chan fetched // of one
}

// fetched is a body on its way to become a page.
type fetched struct {
	sheet          *api.Buffer
	body, endpoint string
	received       time.Time
	took           time.Duration
	came           int64 // its number among the walk's answers
	err            error
}

// newWalk returns the walk that goes on where the part's checkpoint stands.
func newWalk(p *pull, t *part, k model.Checkpoint) *walk {
	w := &walk{
		dispatcher: p.dispatcher, client: p.client, decoder: decode.New(), sheets: &p.sheets, maxRetryTime: p.MaxRetryTime, renew: p.RenewCursors, notice: p.Notice, tally: p.tally,
		part: t, floor: k.Floor, at: api.Request{Cursor: k.Cursor}, dies: k.CursorExpiresAt, resumed: k.State == model.UnderWay || k.Pages > 0,
		last: readingOf(&k), tried: k.Cursor, failedRuns: k.FailedRuns, rereads: &p.rereads, cache: &p.cache, known: t.crew.known,
		low: k.Last, deepest: k.Last, trail: newTrail(), unordered: k.Unordered, pages: k.Pages,
	}
	switch {
	case k.IsPart() && !k.First.Valid:
		w.at, w.bound = t.start()
		w.starts, w.resumed = true, true
	case k.Cursor != "":
		w.proof = w.behind()
	default:
		// It begins at the newest event, and what came since it was there last lies above.
		w.low, w.deepest = sql.Null[model.Position]{}, sql.Null[model.Position]{}
	}
	return w
}

// run sends every page to out until the last one, or until whoever takes them is gone.
// A page that came whole is sent also when ctx has ended meanwhile.
func (w *walk) run(ctx context.Context, out chan<- walked, gone <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		w.discard()
	}()
	for {
		p, err := w.next(ctx)
		starts := w.starts
		if err == nil && w.endsOddly(&p) {
			err = w.confirmEnd(ctx, &p)
		}
		if err == nil {
			err = w.prove(&p)
		}
		started := starts && !w.starts
		var back *walked
		if err == nil && w.maySlide(&p) {
			back, err = w.lookBack(ctx, &p)
		}
		if err != nil && p.sheet != nil {
			w.sheets.Release(p.sheet)
		}
		if ctx.Err() == nil && (w.lost(err) || w.isStuck(ctx, err)) {
			if err := w.recover(err); err != nil {
				return err
			}
			continue
		}
		switch {
		case err != nil && ctx.Err() != nil && w.lost(err):
			return ctx.Err() // there is no time for another way
		case err != nil:
			return w.orClosed(ctx, err)
		}
		if back != nil {
			p.resumed = true
			select {
			case out <- *back:
			case <-gone:
				return nil
			}
		}
		last := w.last.behind(&p)
		fault := w.follow(&p)
		select {
		case out <- p:
		case <-gone:
			return nil // why, they say
		}
		if fault != nil && (w.proof != nil || w.part.k.IsPart() || errors.Is(fault, errEndsTooEarly) || w.isStuck(ctx, fault)) {
			// It came from a way on that leads nowhere.
			if err := w.recover(fmt.Errorf("%w: %w", errNotProven, fault)); err != nil {
				return err
			}
			continue
		}
		if fault != nil || p.last {
			return fault
		}
		if w.proof != nil && w.proof.met || started {
			// The cursor of such a page has yet to show where it leads.
			if w.proof = w.behind(); w.proof != nil {
				w.proof.byTime = true
			}
		}
		if !p.held {
			w.last = last
			w.totals.forget(last.came)
		}
		w.at, w.resumed, w.dies, w.life = api.Request{Cursor: p.page.NextCursor}, false, time.Time{}, p.page.CursorLife
		w.got = p.received
		if w.life > 0 {
			w.dies = p.received.Add(w.life)
		}
	}
}

// orClosed returns err, or, if the events endpoint asked for a longer wait than a pull may wait and the
// feed failed meanwhile, an ErrClosed that says until when.
func (w *walk) orClosed(ctx context.Context, err error) error {
	var file *model.FileError
	until, tooLong := w.dispatcher.EventsClosedUntil()
	if !tooLong || ctx.Err() != nil || errors.As(err, &file) || errors.Is(err, api.ErrKeyRefused) || errors.Is(err, dispatch.ErrClosed) || errors.Is(err, errPartLost) {
		return err
	}
	//nolint:errorlint // the wait is why the pull ends, whatever the feed's error is
	return fmt.Errorf("%w: come back at %s; meanwhile %v", dispatch.ErrClosed, until.UTC().Format(time.RFC3339), err)
}

// lost tells the errors after which the walk must find another way on: that one does
// not lead there, or that the feed, which is not needed, fails.
func (w *walk) lost(err error) bool {
	var file *model.FileError
	switch {
	case err == nil, w.at == api.Request{}, errors.Is(err, api.ErrKeyRefused), errors.As(err, &file):
		return false
	}
	return w.starts || w.byTime() || errors.Is(err, api.ErrCursorExpired) || errors.Is(err, errNotProven) || errors.Is(err, errSlid)
}

// byTime reports whether the walk looks for its anchor among the pages of a time.
func (w *walk) byTime() bool { return w.proof != nil && !w.proof.behind }

// prove looks whether the page is what follows, where that is not certain.
func (w *walk) prove(p *walked) error {
	if w.starts {
		return w.start(p)
	}
	if w.proof == nil {
		return nil
	}
	switch w.proof.look(&p.page) {
	case refuted:
		return fmt.Errorf("%w after %s", errNotProven, w.proof.anchor.Timestamp.Time().Format(time.RFC3339Nano))
	case stillOpen:
		p.held = true
	case proven:
		if w.proof.behind {
			w.proof, w.noTime, w.renewed = nil, false, ""
		} else {
			w.proof.met = true
		}
	}
	return nil
}

// start looks whether the page is one with which a part can begin.
func (w *walk) start(p *walked) error {
	p.outside = p.page.CutAbove()
	switch {
	case len(p.page.Events) == 0 && !p.page.HasMore:
		return fmt.Errorf("%w: %w", errNotProven, errNothingLeft)
	case len(p.page.Events) == 0:
		return nil
	case p.page.Newest.Timestamp > w.bound:
		return fmt.Errorf("%w below %s", errNotProven, w.bound.Time().Format(time.RFC3339Nano))
	}
	first := p.page.Events[0].Position()
	if err := w.part.begins(first, p.page.Newest); err != nil {
		return err
	}
	w.starts, w.first = false, first
	return nil
}

// follow looks where the page leads.
func (w *walk) follow(p *walked) error {
	w.pages++
	p.first = w.first
	// Going up again is no order; the same event twice is one, and so is what a cursor that
	// counts leads to after events came on top.
	w.unordered = w.unordered || !p.page.Ordered || w.trail.rises(&p.page) && !w.last.slides
	above, rises := w.low, w.trail.rises(&p.page)
	again := repeated{
		counts: w.last.slides && !w.last.stored && !p.resumed && p.page.Total.Valid && p.page.Total == w.last.total, atBorder: !rises, last: w.trail.before,
	}
	below := w.floor.Valid && w.trail.begun && w.trail.before.Timestamp < w.floor.V
	if len(p.page.Events) > 0 {
		oldest := p.page.Oldest
		if !p.held && (!w.low.Valid || oldest.Compare(w.low.V) < 0) {
			w.low = sql.Null[model.Position]{V: oldest, Valid: true}
		}
		if !w.deepest.Valid || oldest.Compare(w.deepest.V) < 0 {
			w.deepest, w.deeper = sql.Null[model.Position]{V: oldest, Valid: true}, true
		}
	}
	p.unordered = w.unordered
	err := w.trail.follow(p.from.Cursor, &p.page)
	if !p.held {
		last, errEnd := w.part.read(p, w.unordered)
		if p.last = last; errEnd != nil {
			err = errEnd
		}
		p.countCopies(above, w.known, again)
	}
	if w.floor.Valid {
		p.outside += p.page.CutBelow(w.floor.V, below)
	}
	if len(p.page.Rejects) > 0 && !w.client.HasSecret(p.page.Rejects[0].Raw) {
		w.tally.keepSample(p.page.Rejects[0].Raw)
	}
	if p.last {
		return nil
	}
	p.held = p.held || err != nil
	return err
}

// next gets the page at which the walk stands, whole.
func (w *walk) next(ctx context.Context) (got walked, err error) {
	doubted, failures, broken := false, 0, 0
	pausing := false
	pause := func(now bool) {
		if now != pausing {
			pausing = now
			if now {
				w.dispatcher.BeginWait()
			} else {
				w.dispatcher.EndWait()
			}
		}
	}
	defer func() { pause(false) }()
	err = dispatch.Retry(ctx, w.retryTime, func() time.Duration { return w.requester.Waited }, w.notice, func() (err error) {
		pause(false)
		defer func() { pause(err != nil) }()
		got, err = w.try(ctx)
		if broken = w.countBroken(broken, err); w.isDead(ctx, got.endpoint, err, broken) {
			return fmt.Errorf("%w: %w", api.ErrCursorExpired, err)
		}
		if errors.Is(err, api.ErrCursorExpired) && !doubted && time.Now().Before(w.dies) {
			// It is sent once more before that is believed.
			doubted = true
			//nolint:errorlint // it must not be taken for a dead cursor yet
			err = fmt.Errorf("%v, though it should live until %s", err, w.dies.UTC().Format(time.TimeOnly))
		}
		if err != nil {
			// Before the cursor dies of one endpoint's troubles, the other one is asked.
			if failures++; failures > 1 || w.life > 0 && time.Until(w.dies) < w.life/2 {
				w.requester.Avoid = got.endpoint
			}
		}
		return err
	})
	return got, err
}

// get asks for a page that was read before, whole, beside the walk.
func (w *walk) get(ctx context.Context, at api.Request) (got walked, err error) {
	w.discard()
	limit := func() time.Duration { return min(w.retryTime(), longestBounded) }
	err = dispatch.Retry(ctx, limit, func() time.Duration { return w.requester.Waited }, w.notice, func() (err error) {
		for {
			got, err = w.getOnce(ctx, at)
			if !w.dispatcher.AskForLess(got.endpoint, &api.Request{}, err) {
				return err
			}
		}
	})
	return got, err
}

func (w *walk) getOnce(ctx context.Context, at api.Request) (got walked, err error) {
	f := w.askFresh(ctx, at, true)
	got = walked{endpoint: f.endpoint, from: at, received: f.received, came: f.came, took: f.took, bytes: len(f.body), sheet: f.sheet}
	err = f.err
	if err == nil {
		err = w.decode(f, &got)
	}
	if err == nil && got.page.Damaged > 0 {
		err = w.readAgain(ctx, at, f, &got)
	}
	if err != nil {
		w.sheets.Release(f.sheet)
	}
	return got, err
}

// decode decodes a body into the page that it is.
func (w *walk) decode(f fetched, to *walked) error {
	p, err := f.sheet.Decode(w.decoder)
	if err != nil {
		return w.client.DecodeError(f.endpoint, f.sheet, err)
	}
	w.totals.see(f.came, p.Total)
	p.Withhold(w.client.HasSecret)
	// What is remembered for longer than the page must not be a part of its
	// body, or it would keep all of that in memory.
	p.NextCursor = strings.Clone(p.NextCursor)
	if n := len(p.Events); n > 0 {
		to.lastIsEvent = len(p.Rejects) == 0 || p.RejectAfter[len(p.Rejects)-1] < n
		to.lastEvent = p.Events[n-1].Position()
	}
	to.page, to.sheet, f.sheet.Events = p, f.sheet, p.Events
	to.secretFrom = w.client.HasSecret(to.from.Cursor)
	return nil
}

// try asks for the page at which the walk stands. Where it fails, the endpoint of what
// it returns says of which.
func (w *walk) try(ctx context.Context) (walked, error) {
	f := w.fetch(ctx)
	got := walked{endpoint: f.endpoint, from: w.at, resumed: w.resumed, received: f.received, came: f.came, took: f.took, bytes: len(f.body)}
	if f.err != nil {
		w.sheets.Release(f.sheet)
		return got, f.err
	}
	w.requester.Avoid = ""
	w.lookAhead(ctx, f)
	err := w.decode(f, &got)
	p := &got.page
	if err == nil {
		err = w.readAgain(ctx, w.at, f, &got)
	}
	if err != nil {
		w.sheets.Release(f.sheet)
		w.discard()
		if w.dispatcher.AskForLess(f.endpoint, &api.Request{}, err) {
			return w.try(ctx)
		}
		return got, err
	}
	p.NameAnonymous(w.before(), &w.alike)
	got.open = len(w.alike.Counts) > 0
	if p.Elements == 0 && p.HasMore && p.NextCursor == w.at.Cursor {
		// As long as it may be a fault that passes, it is no circle.
		return got, fmt.Errorf("%w: an empty page leads to itself", ErrLoop)
	}
	return got, nil
}

// before returns the event behind which the page begins at which the walk stands, where
// that is known.
func (w *walk) before() uuid.NullUUID {
	switch {
	case w.trail.begun:
		return uuid.NullUUID{UUID: w.trail.before.ID, Valid: true}
	case w.proof != nil && w.proof.behind:
		return uuid.NullUUID{UUID: w.proof.anchor.ID, Valid: true}
	}
	return uuid.NullUUID{}
}

// longestBounded is how long a request may go on failing that is not the only way on.
const longestBounded = 30 * time.Second

// retryTime is how long the request may go on failing. One that never reached the API at all,
// or something that is not it, is more likely a wrong address than a passing fault; one by time is
// not the only way on.
func (w *walk) retryTime() time.Duration {
	if !w.client.HasAnswered() {
		return min(w.maxRetryTime, dispatch.FirstConnect)
	}
	if w.byTime() || w.starts {
		return min(w.maxRetryTime, longestBounded)
	}
	return w.maxRetryTime
}

// lookAhead starts the request for the next page as soon as the tail of this one
// has told its cursor, while this one is decoded. Where the window may end with
// this page, or the page has yet to be proven, it first has to be known whether that
// is wanted.
func (w *walk) lookAhead(ctx context.Context, f fetched) {
	if f.sheet.LargeSlot != nil {
		return // another large page would have to wait for its memory
	}
	t, ok := decode.PeekTail(f.body)
	if !ok || !t.HasMore || t.NextCursor == "" || t.NextCursor == w.at.Cursor || w.trail.led(t.NextCursor) ||
		w.proof != nil || w.starts {
		return
	}
	if border := w.part.border(); border.Valid && !w.trail.above(border.V) {
		return
	}
	cursor := strings.Clone(t.NextCursor)
	// One answer, so that the goroutine ends even where nobody waits for it.
	result := make(chan fetched, 1)
	go func() { result <- w.askFresh(ctx, api.Request{Cursor: cursor}, false) }()
	w.ahead = &ahead{cursor, result}
}

// fetch gets the body at which the walk stands, by the request ahead if it asked
// for that.
func (w *walk) fetch(ctx context.Context) fetched {
	if w.ahead != nil && w.at == (api.Request{Cursor: w.ahead.cursor}) {
		f := <-w.ahead.result
		w.ahead = nil
		return f
	}
	w.discard()
	return w.askFresh(ctx, w.at, false)
}

// discard waits for a request ahead that is not wanted: one request is under way
// at a time.
func (w *walk) discard() {
	if w.ahead == nil {
		return
	}
	f := <-w.ahead.result
	w.ahead = nil
	if f.err == nil && w.last.slides {
		if p, err := f.sheet.Decode(decode.New()); err == nil {
			w.totals.see(f.came, p.Total)
		}
	}
	w.sheets.Release(f.sheet)
}

func (w *walk) ask(ctx context.Context, at api.Request) fetched {
	memory, began := w.sheets.Take(), time.Now()
	memory.Beside = at.Beside
	body, endpoint, err := w.dispatcher.Page(ctx, &w.requester, at, memory)
	now := time.Now()
	return fetched{memory, body, endpoint, now, now.Sub(began), w.answers.Add(1), err}
}
