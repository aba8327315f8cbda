package api

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"datasync/ingest/decode"
	"datasync/internal/model"
)

// Exchange is a request and its outcome, for a person who follows a pull. It has no secret, and a cursor
// only as its hash in the page log.
type Exchange struct {
	Endpoint, Method string
	// Target is the path and the query. A path that contains a secret is withheld.
	Target string
	// Status is the HTTP status; 0 if no answer came.
	Status int
	// Took is the time from the request to the last byte.
	Took time.Duration
	// Bytes is the size of the answer's body before decompression, Gzipped whether it was compressed.
	Bytes   int64
	Gzipped bool
	// Events counts the elements of a page; -1 if the answer is not a page.
	Events int
	// Wait is how long the answer asks to send no further request.
	Wait time.Duration
	// Err is why the request failed; nil for a page or an access. Stopped says that the caller ended it.
	Err     error
	Stopped bool
}

// withheld replaces a part of a request that contains a secret.
const withheld = "[withheld]"

// Trace makes the client call show after each request, in the goroutine that sent it. Call Trace before the
// first request.
func (c *Client) Trace(show func(Exchange)) { c.trace = show }

// traced calls show with a request and its outcome, if Trace has set it.
func (c *Client) traced(endpoint string, req *http.Request, want Request, resp response, text string, err error) {
	if c.trace == nil {
		return
	}
	x := Exchange{
		Endpoint: endpoint, Method: req.Method, Target: c.target(req.URL, want), Status: resp.status, Took: resp.took,
		Bytes: resp.bytes, Gzipped: resp.gzipped, Events: -1, Wait: resp.rateLimit.Wait, Err: err,
		Stopped: err != nil && req.Context().Err() != nil,
	}
	var answer *Error
	if errors.As(err, &answer) {
		x.Status, x.Wait = answer.Status, answer.Wait
	}
	if n, ok := decode.CountElements(text); ok && err == nil {
		x.Events = n
	}
	c.trace(x)
}

// target returns the path and the query of a request without secrets.
func (c *Client) target(u *url.URL, want Request) string {
	path := u.EscapedPath()
	for _, text := range []string{path, u.Path} {
		if !c.secrets.printable(text) || c.secrets.fragmentIn(text) {
			path = "/" + withheld
		}
	}
	query := u.Query()
	text := ""
	if limit := query.Get("limit"); limit != "" {
		text = "?limit=" + limit
	}
	switch {
	case want.Cursor != "" && c.HasSecret(want.Cursor):
		text += "&cursor=" + withheld
	case want.Cursor != "":
		text += "&cursor=#" + model.HashCursor(want.Cursor)
	}
	if want.Bounded {
		text += "&until=" + strconv.FormatInt(want.Until, 10)
	}
	return path + text
}
