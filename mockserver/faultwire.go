package mockserver

import (
	"strconv"
	"time"
)

func delivered(name string, how delivery, n int, pause time.Duration) Fault {
	return Fault{name: name, deliver: func(a *answer) { a.how, a.n, a.pause = how, max(0, n), pause }}
}

// Reset resets the connection before the head of the answer. Over sockets, Go's client repeats a
// GET by itself on a reused connection; the next fault then applies to that second request.
func Reset() Fault { return delivered("reset", deliverReset, 0, 0) }

// Hang sends nothing until the client gives up.
func Hang() Fault { return delivered("hang", deliverHang, 0, 0) }

// Truncate closes the connection after n bytes of the body, before its Content-Length. At least
// the last byte is missing.
func Truncate(n int) Fault { return delivered("truncated", deliverCut, n, 0) }

// TruncateChunked is Truncate for a body of unknown length, in chunks.
func TruncateChunked(n int) Fault { return delivered("truncated chunks", deliverChunked, n, 0) }

// ResetAfter resets the connection after n bytes of the body.
func ResetAfter(n int) Fault { return delivered("reset in body", deliverBroken, n, 0) }

// Stall sends n bytes of the body, and then nothing until the client gives up.
func Stall(n int) Fault { return delivered("stall", deliverStall, n, 0) }

// Drip sends the body n bytes at a time, with a pause before each.
func Drip(n int, pause time.Duration) Fault {
	return delivered("drip", deliverDrip, max(1, n), pause)
}

// Clip sends n bytes of the body as if they were the whole: for HTTP the answer is complete.
func Clip(n int) Fault {
	return Fault{name: "clipped", deliver: func(a *answer) { a.body = a.body[:min(max(0, n), len(a.body))] }}
}

// Trailing appends text to the JSON of the answer.
func Trailing(text string) Fault {
	return Fault{name: "trailing text", deliver: func(a *answer) { a.body = append(a.body, text...) }}
}

// Header replaces a header of the answer.
func Header(name, value string) Fault {
	return Fault{name: "header " + name, deliver: func(a *answer) { a.header.Set(name, value) }}
}

// Returned makes meta.returned differ by delta from the number of events.
func Returned(delta int) Fault {
	return Fault{name: "returned " + strconv.Itoa(delta), page: func(p *pagePlan) { p.returnedDelta = delta }}
}

// Chaos removes a required field from n events, in this answer only, and sends X-Chaos-Applied.
// With 0 it only sends the header.
func Chaos(n int) Fault {
	return Fault{name: "chaos", page: func(p *pagePlan) { p.chaos, p.chaosEvents = true, n }}
}

// SameCursor returns the cursor of the request as the next one. A request without a cursor is
// answered as usual.
func SameCursor() Fault {
	return Fault{name: "same cursor", page: func(p *pagePlan) { p.next = nextSame }}
}

// Stuck returns a new cursor to the beginning of the same page.
func Stuck() Fault {
	return Fault{name: "stuck", page: func(p *pagePlan) { p.next = nextStuck }}
}

// EmptyPage returns no events, hasMore true, and a new cursor to the beginning of the same page.
func EmptyPage() Fault {
	return Fault{name: "empty page", page: func(p *pagePlan) { p.limit, p.next = 0, nextStuck }}
}

// NoCursor returns a page with hasMore true and nextCursor null.
func NoCursor() Fault {
	return Fault{name: "no cursor", page: func(p *pagePlan) { p.next = nextNone }}
}

// EarlyEnd returns a page with hasMore false although events follow.
func EarlyEnd() Fault {
	return Fault{name: "early end", page: func(p *pagePlan) { p.next = nextEnd }}
}

// FeedPath makes stream-access return this path of the feed, however unsafe.
func FeedPath(path string) Fault {
	return Fault{name: "feed path", access: func(p *accessPlan) { p.endpoint = path }}
}

// Token makes stream-access return this token, which the feed then accepts.
func Token(value string) Fault {
	return Fault{name: "token", access: func(p *accessPlan) { p.token = value }}
}

// TokenHeader makes stream-access return this header for the token. The feed still reads
// Options.Access.TokenHeader.
func TokenHeader(name string) Fault {
	return Fault{name: "token header", access: func(p *accessPlan) { p.header = name }}
}

// ExpiresIn makes stream-access return this lifetime: raw JSON, or Omitted.
func ExpiresIn(json string) Fault {
	return Fault{name: "expires in", access: func(p *accessPlan) { p.expiresIn = json }}
}
