package mockserver

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Status answers with an error status and the usual JSON error body.
func Status(status int) Fault {
	return Fault{name: "status " + strconv.Itoa(status), instead: func(s refuser, _ *incoming) *answer {
		return s.bareError(status)
	}}
}

// StatusAfter is Status with a Retry-After, rounded up to whole seconds.
func StatusAfter(status int, wait time.Duration) Fault {
	return Fault{name: "status " + strconv.Itoa(status) + " with Retry-After", instead: func(s refuser, _ *incoming) *answer {
		return s.errorAfter(status, s.scaled(wait))
	}}
}

// RateLimited answers 429 and names the wait in the places of the endpoint's RateLimit; if that has
// none, in the body as rateLimit.retryAfter.
func RateLimited(wait time.Duration) Fault {
	return Fault{name: "429", instead: func(s refuser, in *incoming) *answer {
		return s.limitedAs(in, s.scaled(wait))
	}}
}

// RateLimitedIn answers 429 and names the wait in these places, of which there may be none.
func RateLimitedIn(named Named, wait time.Duration) Fault {
	return Fault{name: "429", instead: func(s refuser, _ *incoming) *answer {
		return s.limited(RateLimit{Requests: 10, Named: named}, s.scaled(wait))
	}}
}

// RateLimitedRaw answers 429 with exactly this Retry-After (none if empty) and body. Verify reports
// clients that do not keep the wait hold, which the text should name.
func RateLimitedRaw(retryAfter, body string, hold time.Duration) Fault {
	return Fault{name: "raw 429", instead: func(s refuser, _ *incoming) *answer {
		a := &answer{status: http.StatusTooManyRequests, header: jsonHeader(), body: []byte(body), wait: s.scaled(hold)}
		if retryAfter != "" {
			a.header.Set("Retry-After", retryAfter)
		}
		return a
	}}
}

// KeyRefused answers 401.
func KeyRefused() Fault {
	return Fault{name: "key refused", instead: func(s refuser, _ *incoming) *answer { return s.keyRefused() }}
}

// TokenRejected answers 403 INVALID_STREAM_TOKEN and revokes the request's token.
func TokenRejected() Fault {
	return Fault{name: "token rejected", instead: func(s refuser, in *incoming) *answer {
		return s.rejectToken(in)
	}}
}

// DashboardRequired answers 403 DASHBOARD_REQUIRED.
func DashboardRequired() Fault {
	return Fault{name: "dashboard required", instead: func(s refuser, _ *incoming) *answer { return s.dashboardRequired() }}
}

// CursorExpired answers like a page endpoint to a cursor that has expired.
func CursorExpired() Fault {
	return Fault{name: "cursor expired", instead: func(s refuser, _ *incoming) *answer {
		return s.badCursor(&cursorExpiredError{ago: 3 * time.Minute})
	}}
}

// CursorInvalid answers like a page endpoint to a cursor that it cannot read.
func CursorInvalid() Fault {
	return Fault{name: "cursor invalid", instead: func(s refuser, _ *incoming) *answer {
		return s.badCursor(errCursorInvalid)
	}}
}

// Body answers 200 with this content type and body.
func Body(contentType, body string) Fault {
	return Fault{name: "foreign body", instead: func(refuser, *incoming) *answer {
		return &answer{
			status: http.StatusOK,
			header: http.Header{"Content-Type": {contentType}},
			body:   []byte(body),
		}
	}}
}

// HTML answers 200 with the error page of a proxy.
func HTML() Fault {
	f := Body("text/html; charset=utf-8",
		"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n")
	f.name = "html"
	return f
}

// Empty answers 200 with an empty body.
func Empty() Fault {
	f := Body("application/json", "")
	f.name = "empty body"
	return f
}

// Null answers 200 with the body null.
func Null() Fault {
	f := Body("application/json", "null")
	f.name = "null body"
	return f
}

// NoContent answers 204.
func NoContent() Fault {
	return Fault{name: "no content", instead: func(refuser, *incoming) *answer {
		return &answer{status: http.StatusNoContent, header: http.Header{}}
	}}
}

// Redirect answers 302 with this location, unchecked.
func Redirect(location string) Fault { return RedirectStatus(http.StatusFound, location) }

// RedirectStatus is Redirect with another status.
func RedirectStatus(status int, location string) Fault {
	return Fault{name: fmt.Sprintf("redirect %d", status), instead: func(refuser, *incoming) *answer {
		return &answer{status: status, header: http.Header{"Location": {location}}}
	}}
}
