package api

// The names of the endpoints, as the page log, runs and messages have them.
const (
	Events       = "events"
	Feed         = "feed"
	StreamAccess = "stream-access"
)

// Request says which page is wanted: the one that the cursor leads to, or, bounded,
// the newest page before until in epoch milliseconds, or the newest of all. Where limit
// is not 0, so many events are enough. Where only is not empty, no other endpoint is asked;
// where it holds soon, that is so as long as the endpoint may be asked within soonEnough. Beside says
// that the page is read again while its first reading has the place for a large text, squeezed that
// only the beginnings of elements that are too large are wanted.
type Request struct {
	Cursor  string
	Until   int64
	Bounded bool
	Limit   int
	Only    string
	IfSoon  bool
	Beside  bool

	Squeezed bool
}
