package api

import (
	"datasync/internal/model"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// What others test for with errors.Is.
var (
	// ErrKeyRefused: the API does not accept the key.
	ErrKeyRefused = model.NewFailure(model.ExitKey, "key-refused", "the API refused the key")
	// ErrCursorExpired: the API does not accept a cursor any more, or never did.
	ErrCursorExpired = model.NewFailure(model.ExitAPI, "no-headway", "the cursor has expired or is unknown")
	// ErrRedirected: the API answered with a redirect, which is not followed.
	ErrRedirected = model.NewFailure(model.ExitAPI, "wrong-address", "the API redirects to another address")
	// ErrNoAPI: what answers has given nothing in this run that this API would.
	ErrNoAPI = model.NewFailure(model.ExitAPI, "wrong-address", "the server is not this API")
	// ErrTokenRejected: the feed does not accept the token.
	ErrTokenRejected = errors.New("the feed refused the token")
)

// APIError is an answer that is no page.
type APIError struct {
	Endpoint string
	// Status is the HTTP status.
	Status int
	// Code is the API's own code, such as CURSOR_EXPIRED, Message and Hint are its words. Each
	// may be empty.
	Code, Message, Hint string
	// Wait is how long the endpoint asked to be left alone; Named says whether
	// it asked at all.
	Wait  time.Duration
	Named bool
	// Kind is one of this package's sentinels, or nil.
	Kind error

	Means Meaning
	// answer is kept where it may name the page size that is allowed.
	answer reply
}

func (e *APIError) Error() string {
	text := fmt.Sprintf("%s answered %03d", e.Endpoint, e.Status)
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

// MaxQuoted is how many characters of an API's words are shown.
const MaxQuoted = 300

// Quote returns words of the API in quotes, on one line and without characters that a
// terminal would take for commands.
func Quote(words string) string {
	if runes := []rune(words); len(runes) > MaxQuoted {
		words = string(runes[:MaxQuoted]) + "..."
	}
	return strconv.QuoteToGraphic(words)
}

func (e *APIError) Unwrap() error { return e.Kind }
