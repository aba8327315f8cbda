package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"datasync/internal/model"
)

// The kinds of errors, for errors.Is.
var (
	// ErrKeyRefused means that the API does not accept the key.
	ErrKeyRefused = model.NewFailure(model.ExitKey, "key-refused", "the API refused the key")
	// ErrCursorExpired means that the API does not accept the cursor; it has expired or is unknown.
	ErrCursorExpired = model.NewFailure(model.ExitAPI, "no-headway", "the cursor has expired or is unknown")
	// ErrRedirected means that the API answered with a redirect, which the client does not follow.
	ErrRedirected = model.NewFailure(model.ExitAPI, "wrong-address", "the API redirects to another address")
	// ErrNoAPI means that no answer in this run may be this API's.
	ErrNoAPI = model.NewFailure(model.ExitAPI, "wrong-address", "the server is not this API")
	// ErrPlainPort means that the base URL has https, but the port speaks plain http. ErrTLSPort means the
	// opposite.
	ErrPlainPort = model.NewFailure(model.ExitAPI, "wrong-address", "the port speaks http, not https")
	ErrTLSPort   = model.NewFailure(model.ExitAPI, "wrong-address", "the port speaks https, not http")
	// ErrTokenRejected means that the feed does not accept the token.
	ErrTokenRejected = errors.New("the feed refused the token")
	// errGzipRefused means that the server refuses requests for gzip, and may accept others.
	errGzipRefused = errors.New("it refuses gzip")
)

// Meaning is what an answer other than a page says about the request. The table in docs/answers.md
// has the rules.
type Meaning uint8

const (
	// MeansFailed says that a retry may succeed.
	MeansFailed Meaning = iota
	// MeansRateLimited says that the endpoint received too many requests.
	MeansRateLimited
	// MeansTokenRefused says that the feed does not accept the token.
	MeansTokenRefused
	// MeansBrowserRequired says that stream-access or the feed requires a browser.
	MeansBrowserRequired
	// MeansKeyRefused says that the API does not accept the key.
	MeansKeyRefused
	// MeansPageTooLarge says that the parameter limit is too large.
	MeansPageTooLarge
	// MeansCursorExpired says that the cursor has expired, or is unknown.
	MeansCursorExpired
	// MeansBoundRefused says that the API refuses the parameter until, or those of a probe.
	MeansBoundRefused
	// MeansCursorSuspect says that the cursor may have expired: it has if a request without it succeeds.
	MeansCursorSuspect
	// MeansRefused says that the API refuses the request for another reason.
	MeansRefused
)

// Error is an answer other than a page.
type Error struct {
	Endpoint string
	// Status is the HTTP status.
	Status int
	// Code is the API's own code, such as CURSOR_EXPIRED. Message and Hint are texts of its body.
	// Each may be empty, and is so if it contains a secret.
	Code, Message, Hint string
	// Wait is how long the client must not call the endpoint. Named says whether the answer names
	// a wait at all.
	Wait  time.Duration
	Named bool
	// Kind is one of this package's sentinels, or nil.
	Kind error

	// Means is what the answer says about the request, by docs/answers.md.
	Means Meaning
	// maximums are the numbers that the message names as a maximum, if Means is MeansPageTooLarge.
	// They outlive Message, which may contain a secret.
	maximums []int
}

func (e *Error) Error() string { return e.Endpoint + " endpoint answered " + e.Answer() }

// Answer is Error without the endpoint: the status and what the API says, such as
// `502 BAD_GATEWAY: "no upstream"`.
func (e *Error) Answer() string {
	text := fmt.Sprintf("%03d", e.Status)
	if e.Status == http.StatusSwitchingProtocols {
		text += " " + http.StatusText(e.Status) + ", which was not requested"
	}
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Kind != nil {
		text += ": " + e.Kind.Error()
	}
	if e.Message != "" {
		text += ": " + Quote(e.Message)
	}
	if e.Hint != "" {
		text += " (hint: " + Quote(e.Hint) + ")"
	}
	return text
}

// MaxQuoted is how many characters of a text of the API are shown.
const MaxQuoted = 300

// Quote returns a text of the API in quotes, on one line and without characters that control a
// terminal. It cuts texts after MaxQuoted characters.
func Quote(text string) string {
	if runes := []rune(text); len(runes) > MaxQuoted {
		text = string(runes[:MaxQuoted]) + "..."
	}
	return strconv.QuoteToGraphic(text)
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// clearTexts empties each text of the body that is not safe to print.
func (e *Error) clearTexts(isSafe func(text string) bool) {
	for _, text := range []*string{&e.Code, &e.Message, &e.Hint} {
		if !isSafe(*text) {
			*text = ""
		}
	}
}
