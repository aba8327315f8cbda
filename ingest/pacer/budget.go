package pacer

import "time"

const (
	// ahead is the share of a budget that may be spent before its even time.
	ahead = 0.25
	// A budget that was learned from refusals is probed after probeWindows windows and
	// probeRequests requests without a refusal: the API may allow more by now. The probe comes near
	// the end of the window, where a refusal costs a wait of probeShare of it.
	probeWindows  = 2
	probeRequests = 60
	probeShare    = 0.05
	// plausible is how many requests a window must have had for its first refusal to count as its
	// limit. With fewer, the refusal may have another cause, and honouring it would cost much. The
	// same holds if the wait is less than plausibleShare of the window.
	plausible      = 20
	plausibleShare = 0.1
	// Without windows, requests are spread by a spacing that grows with a refusal and shrinks
	// after fasterAfter requests without one. A refusal with a wait of more than longWait
	// spacings shows a window after all.
	slower, faster        = 1.15, 0.97
	fasterAfter, longWait = 25, 10
	// mostSlower bounds the spacing, as a multiple of the first one.
	mostSlower = 16
	// late is the share of a window by which the next one begins later than possible, since the
	// latency of requests varies.
	late = 0.005
)

// Budget is the known rate limit of an endpoint, in requests a window of time, and the part of it that is
// spent. Headers state it, or refusals (429) teach it: one shows how many requests a window had room for
// and when it ends. Many requests, or a second refusal that agrees, make it certain enough to honour. This
// works for any rule of the API: windows that begin with a request or with the minute, sliding windows, or
// a token bucket. The zero value knows nothing and allows everything.
type Budget struct {
	limit  int
	window time.Duration
	// least is a lower bound of the window, shown by a request that came too early.
	least time.Duration
	// stated says that headers state the limit, sure that two windows agreed on it. ofAnswer says
	// that the time in headers counts from the answer instead of the request.
	stated, sure, ofAnswer bool

	// spacing is the time between requests if refusals show no windows, as for a sliding limit or
	// a token bucket; 0 with windows. At is when the last request was sent, granted how many were
	// granted since the spacing changed.
	spacing time.Duration
	at      time.Time
	granted int
	// probe is when the last request over the budget was sent.
	probe time.Time

	// The current window, and the previous one, which continues if the first request after its end
	// is refused.
	now, before span
	// quiet counts the spent windows since the last refusal.
	quiet int
}

// span is a window of time with the number of granted requests. Its end is zero if unknown.
type span struct {
	start, end time.Time
	sent       int
	refused    bool
}

// Known reports whether the budget is certain enough to honour.
func (b *Budget) Known() bool {
	return b.limit > 0 && b.window > 0 && (b.stated || b.sure || b.spacing > 0)
}

// Rate returns how many requests a second the budget allows; 0 if unknown.
func (b *Budget) Rate() float64 {
	if !b.Known() {
		return 0
	}
	if b.spacing > 0 {
		return 1 / b.spacing.Seconds()
	}
	return float64(b.limit) / b.window.Seconds()
}

// Limit returns how many requests a window allows, if the budget is known.
func (b *Budget) Limit() int { return b.limit }

// Window returns the length of a window, if the budget is known.
func (b *Budget) Window() time.Duration { return b.window }

// Left returns how many requests the current window of a known budget has left, and when the next begins.
func (b *Budget) Left(now time.Time) (requests int, until time.Time) {
	if !now.Before(b.now.end) {
		return b.limit, now.Add(b.window)
	}
	return max(0, b.limit-b.now.sent), b.now.end
}

// Next returns the earliest time for the next request: now if the budget is unknown or has room. Evenly
// says that the caller wants more requests than the current windows have room for. Then they are spread
// over the window, except for a quarter that may go ahead.
func (b *Budget) Next(now time.Time, evenly bool) time.Time {
	if b.spacing > 0 {
		if at := b.at.Add(b.spacing); at.After(now) {
			return at
		}
		return now
	}
	if !b.Known() || !now.Before(b.now.end) {
		return now
	}
	at := b.now.end
	switch share := float64(b.now.sent)/float64(b.limit) - ahead; {
	case b.now.sent < b.limit && !evenly:
		return now
	case b.now.sent < b.limit:
		at = b.now.start.Add(time.Duration(share * float64(b.now.end.Sub(b.now.start))))
	case b.now.sent == b.limit && b.mayProbe():
		at = at.Add(-time.Duration(probeShare * float64(b.window)))
	}
	if at.Before(now) {
		return now
	}
	return at
}

func (b *Budget) mayProbe() bool {
	return !b.stated && b.quiet >= probeWindows && b.quiet*b.limit >= probeRequests
}

// Sent records a request that is sent at that time.
func (b *Budget) Sent(at time.Time) {
	if b.now.start.IsZero() || !b.now.end.IsZero() && !at.Before(b.now.end) {
		if b.now.sent >= b.limit && !b.now.refused {
			b.quiet++
		}
		b.before, b.now = b.now, span{start: at}
		if b.limit > 0 && b.window > 0 {
			b.now.end = at.Add(b.window + time.Duration(late*float64(b.window)))
		}
	}
	if b.now.sent++; b.now.sent == b.limit+1 {
		b.probe = at
	}
	b.at = at
}

// Granted records that a request sent at that time was not refused. If it was a probe, the API allows more
// than the budget: Granted reports that, and the limit is learned again.
func (b *Budget) Granted(sent time.Time) (more bool) {
	if b.spacing > 0 {
		if b.granted++; b.granted >= fasterAfter {
			b.granted, b.spacing = 0, time.Duration(faster*float64(b.spacing))
		}
		return false
	}
	if b.sure && sent.Equal(b.probe) {
		b.sure, b.quiet = false, 0
		b.now.end = time.Time{}
		return true
	}
	return false
}

// Stated records the headers of an answer: the limit, the remaining requests, and the time until the window
// ends. Negative numbers are unknown.
func (b *Budget) Stated(sent time.Time, limit, remaining int, reset time.Duration) {
	if limit <= 0 {
		return
	}
	b.limit, b.stated, b.spacing = limit, true, 0
	if sent.Before(b.now.start) {
		return // it is about a window that is over
	}
	used := limit - remaining
	first := remaining >= 0 && used <= 1
	if remaining >= 0 {
		b.now.sent = max(b.now.sent, used)
	}
	if reset <= 0 || b.ofAnswer {
		return
	}
	if first || reset > b.window {
		b.window = reset
	}
	// Whole seconds were rounded up.
	if end := sent.Add(reset); first || b.now.end.IsZero() || b.now.end.After(end) {
		b.now.end = end
	} else if sooner := end.Add(-time.Second); b.now.end.Before(sooner) {
		b.now.end = sooner
	}
}

// Refused records a 429 at that time to a request sent at sent, and the wait that it names.
func (b *Budget) Refused(sent, now time.Time, wait time.Duration) {
	if wait <= 0 || sent.Before(b.now.start) {
		return
	}
	b.now.sent = max(0, b.now.sent-1)
	end := now.Add(wait)
	if b.spaced(now, end, wait) {
		return
	}
	goesOn := b.now.sent == 0 && !b.before.start.IsZero()
	if goesOn {
		// The window before is not over yet.
		b.now, b.before = b.before, span{}
		b.ofAnswer = b.ofAnswer || b.stated
	}
	same := b.now.refused
	b.now.refused, b.now.end, b.quiet = true, end, 0
	window := end.Sub(b.now.start)
	switch {
	case b.now.sent == 0:
	case b.stated:
		if goesOn {
			b.window = window
		}
	case goesOn:
		b.limit, b.window, b.least = b.now.sent, window, max(window, b.least)
	default:
		agrees := near(b.now.sent, b.limit, max(1, b.limit/10)) && near(window, b.window, b.window/5)
		if !same {
			b.sure = agrees || b.now.sent >= plausible && wait >= time.Duration(plausibleShare*float64(window))
		}
		if agrees {
			// Waits are rounded up.
			window = max(min(window, b.window), b.least)
		} else {
			b.least = 0
		}
		b.limit, b.window = b.now.sent, window
	}
}

// spaced records a refusal if requests are spread by a spacing, or if it shows that they should be: long
// before the window is spent or over.
func (b *Budget) spaced(now, end time.Time, wait time.Duration) bool {
	switch {
	case b.spacing > 0 && wait > longWait*b.spacing:
		b.spacing, b.sure = 0, false
		return false
	case b.spacing > 0:
		if !b.now.refused || !now.Before(b.now.end) {
			slowest := mostSlower * b.window / time.Duration(b.limit)
			b.spacing, b.granted = min(time.Duration(slower*float64(b.spacing)), slowest), 0
		}
	case (b.sure || b.limit >= plausible) && !b.stated && b.now.sent > 0 && 2*b.now.sent < b.limit && 2*end.Sub(b.now.start) < b.window:
		b.spacing, b.granted = b.window/time.Duration(b.limit), 0
	default:
		return false
	}
	b.now.refused, b.now.end = true, end
	return true
}

func near[T int | time.Duration](a, b, tolerance T) bool { return max(a, b)-min(a, b) <= tolerance }
