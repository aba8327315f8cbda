package mockserver

import (
	"strconv"
	"time"
)

func delivered(name string, how delivery, n int, pause time.Duration) Fault {
	return Fault{name: name, deliver: func(a *answer) { a.how, a.n, a.pause = how, max(0, n), pause }}
}

// Reset breaks the connection before the head of the answer. Over sockets,
// Go's client sends a GET again by itself if the connection was used before:
// then the next fault meets that second request.
func Reset() Fault { return delivered("reset", deliverReset, 0, 0) }

// Hang answers nothing until the request is given up.
func Hang() Fault { return delivered("hang", deliverHang, 0, 0) }

// Truncate ends the connection after n bytes of the body, short of its
// Content-Length. At least the last byte is always missing.
func Truncate(n int) Fault { return delivered("truncated", deliverCut, n, 0) }

// TruncateChunked is Truncate for a body of unknown length, in chunks.
func TruncateChunked(n int) Fault { return delivered("truncated chunks", deliverChunked, n, 0) }

// ResetAfter resets the connection after n bytes of the body.
func ResetAfter(n int) Fault { return delivered("reset in body", deliverBroken, n, 0) }

// Stall sends n bytes of the body and then nothing until the request is given up.
func Stall(n int) Fault { return delivered("stall", deliverStall, n, 0) }

// Drip sends the body n bytes at a time, with a pause before each.
func Drip(n int, pause time.Duration) Fault {
	return delivered("drip", deliverDrip, max(1, n), pause)
}

// Clip sends n bytes of the body as if they were all of it: for HTTP the
// answer is whole.
func Clip(n int) Fault {
	return Fault{name: "clipped", deliver: func(a *answer) { a.body = a.body[:min(max(0, n), len(a.body))] }}
}

// Trailing puts text behind the JSON of the answer.
func Trailing(text string) Fault {
	return Fault{name: "trailing text", deliver: func(a *answer) { a.body = append(a.body, text...) }}
}

// Header sets a header of the answer, in place of the server's own.
func Header(name, value string) Fault {
	return Fault{name: "header " + name, deliver: func(a *answer) { a.header.Set(name, value) }}
}

// Returned lets meta.returned differ by delta from the number of events.
func Returned(delta int) Fault {
	return Fault{name: "returned " + strconv.Itoa(delta), page: func(p *pagePlan) { p.returnedDelta = delta }}
}

// Chaos lets n events of the page lack a required field, in this reading
// only, and says so with X-Chaos-Applied. With 0 it only says so.
func Chaos(n int) Fault {
	return Fault{name: "chaos", page: func(p *pagePlan) { p.chaos, p.chaosEvents = true, n }}
}

// SameCursor gives the cursor of the request as the next one too. A request
// without a cursor is answered as usual.
func SameCursor() Fault {
	return Fault{name: "same cursor", page: func(p *pagePlan) { p.next = nextSame }}
}

// Stuck gives a new cursor that leads back to where the page began.
func Stuck() Fault {
	return Fault{name: "stuck", page: func(p *pagePlan) { p.next = nextStuck }}
}

// EmptyPage is a page without events that says hasMore, with a new cursor
// that leads to where the page began.
func EmptyPage() Fault {
	return Fault{name: "empty page", page: func(p *pagePlan) { p.limit, p.next = 0, nextStuck }}
}

// NoCursor is a page that says hasMore, with nextCursor null.
func NoCursor() Fault {
	return Fault{name: "no cursor", page: func(p *pagePlan) { p.next = nextNone }}
}

// EarlyEnd is a page that says it is the last one, though it is not.
func EarlyEnd() Fault {
	return Fault{name: "early end", page: func(p *pagePlan) { p.next = nextEnd }}
}

// FeedPath lets stream-access name this endpoint, however unsafe.
func FeedPath(path string) Fault {
	return Fault{name: "feed path", access: func(p *accessPlan) { p.endpoint = path }}
}

// Token lets stream-access hand out this token, which the feed then accepts.
func Token(value string) Fault {
	return Fault{name: "token", access: func(p *accessPlan) { p.token = value }}
}

// TokenHeader lets stream-access name this header for the token. The feed
// goes on reading Options.Access.TokenHeader.
func TokenHeader(name string) Fault {
	return Fault{name: "token header", access: func(p *accessPlan) { p.header = name }}
}

// ExpiresIn lets stream-access state this lifetime: raw JSON, or Omitted.
func ExpiresIn(json string) Fault {
	return Fault{name: "expires in", access: func(p *accessPlan) { p.expiresIn = json }}
}
