package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"datasync/internal/model"
)

// The states of a pull that others test for with errors.Is.
var (
	// ErrKeyRefused: the API does not accept the key.
	ErrKeyRefused = model.NewFailure(model.ExitKey, "key-refused", "the API refused the key")
	// ErrCursorDead: the API does not accept a cursor any more, or never did.
	ErrCursorDead = model.NewFailure(model.ExitAPI, "no-headway", "the cursor has expired or is not known")
	// ErrRedirected: the API answered with a redirect, which is not followed.
	ErrRedirected = model.NewFailure(model.ExitAPI, "wrong-address", "the API redirects to somewhere else")
	// ErrNoAPI: what answers has given nothing in this run that this API would.
	ErrNoAPI = model.NewFailure(model.ExitAPI, "wrong-address", "what answers is not this API")
	// ErrTokenRejected: the feed does not accept the token.
	ErrTokenRejected = errors.New("the feed refused the token")
	// ErrClosed: no endpoint may be asked within the longest wait allowed.
	ErrClosed = model.NewFailure(model.ExitAPI, "api-wait", "the API asks for a longer wait than allowed")
	// ErrNotNow: a survey got no page, as whoever could give one wants to be left alone.
	ErrNotNow = model.NewFailure(model.ExitAPI, "api-wait", "the API asked to be left alone")
	// ErrLimited: every request is answered with a 429.
	ErrLimited = model.NewFailure(model.ExitAPI, "api-wait", "the API only answers that it is asked too often")
	// ErrNoHeadway: cursors die before the walk gets further down.
	ErrNoHeadway = model.NewFailure(model.ExitAPI, "no-headway", "the walk does not get on")
	// ErrFrom: the pull is to go further down than the file does.
	ErrFrom = model.NewFailure(model.ExitUsage, "", "the file does not go down that far")
	// ErrMissing: fewer events came than the API says to have.
	ErrMissing = model.NewFailure(model.ExitData, "events-missing", "events are missing")
	// ErrUnusable: most of what came could not be stored.
	ErrUnusable = model.NewFailure(model.ExitData, "unusable", "what came is hardly usable: it is probably another API, or another version of it")
	// ErrLoop: the API leads in a circle, or on without end.
	ErrLoop = model.NewFailure(model.ExitData, "page-loop", "the pages do not come to an end")
	// ErrNoCursor: a page says that there are more, but not where.
	ErrNoCursor = model.NewFailure(model.ExitData, "page-loop", "a page says that there are more but has no cursor")
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

	means meaning
	// answer is kept where it may name the page size that is allowed.
	answer answered
	// shut is for how long the endpoint has been left alone because of it.
	shut time.Duration
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
		text += ": " + quoteWords(e.Message)
	}
	if e.Hint != "" {
		text += " (hint: " + quoteWords(e.Hint) + ")"
	}
	return text
}

// longestWords is how many characters of an API's words are shown.
const longestWords = 300

// quoteWords returns words of the API in quotes, on one line and without characters that a
// terminal would take for commands.
func quoteWords(words string) string {
	if runes := []rune(words); len(runes) > longestWords {
		words = string(runes[:longestWords]) + "..."
	}
	return strconv.QuoteToGraphic(words)
}

func (e *APIError) Unwrap() error { return e.Kind }
