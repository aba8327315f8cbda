package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"datasync/internal/model"
)

// The errors of a pull that other packages test for with errors.Is. Each says how it ends the
// program.
var (
	// ErrKeyRefused: the API does not accept the key.
	ErrKeyRefused = model.NewFailure(model.ExitKey, "key-refused", "the API refused the key")
	// ErrCursorDead: the API does not accept a cursor any more, or never did.
	ErrCursorDead = model.NewFailure(model.ExitAPI, "no-headway", "the cursor has expired or is unknown")
	// ErrRedirected: the API answered with a redirect, which is not followed.
	ErrRedirected = model.NewFailure(model.ExitAPI, "wrong-address", "the API redirects to another address")
	// ErrNoAPI: the server has given no answer in this run that this API would give.
	ErrNoAPI = model.NewFailure(model.ExitAPI, "wrong-address", "the server is not this API")
	// ErrTokenRejected: the feed does not accept the token.
	ErrTokenRejected = errors.New("the feed refused the token")
	// ErrClosed: no endpoint may be asked within the longest wait allowed.
	ErrClosed = model.NewFailure(model.ExitAPI, "api-wait", "the API asks for a longer wait than allowed")
	// ErrNotNow: a survey got no page, because each endpoint asked for a wait.
	ErrNotNow = model.NewFailure(model.ExitAPI, "api-wait", "the API asked for a wait")
	// ErrLimited: the API answers every request with 429.
	ErrLimited = model.NewFailure(model.ExitAPI, "api-wait", "the API answers every request with 429 Too Many Requests")
	// ErrNoHeadway: cursors expire before the walk reaches older events.
	ErrNoHeadway = model.NewFailure(model.ExitAPI, "no-headway", "no progress: cursors keep expiring")
	// ErrFrom: --from is earlier than the start bound of the file.
	ErrFrom = model.NewFailure(model.ExitUsage, "", "the file does not go back that far")
	// ErrMissing: the API served fewer events than it counts.
	ErrMissing = model.NewFailure(model.ExitData, "events-missing", "events are missing")
	// ErrUnusable: most elements could not be stored as events.
	ErrUnusable = model.NewFailure(model.ExitData, "unusable", "hardly any element is a valid event: this is probably another API, or another version of it")
	// ErrLoop: the API's pages lead in a circle, or on without end.
	ErrLoop = model.NewFailure(model.ExitData, "page-loop", "the pages do not end")
	// ErrNoCursor: a page announces more pages but has no cursor.
	ErrNoCursor = model.NewFailure(model.ExitData, "page-loop", "a page announces more pages but has no cursor")
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
