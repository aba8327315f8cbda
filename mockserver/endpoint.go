package mockserver

import (
	"fmt"
	"net/http"
)

// Endpoint is one of the things that the API answers on.
type Endpoint uint8

// Any stands for all of them in a Script or a RandomFault. The first three are
// those of a pull; the live service is seen to have the others too.
const (
	Any Endpoint = iota
	Events
	Feed
	StreamAccess
	Sessions     // SessionsPath, and one session below it
	SingleEvent  // one event, by its id below EventsPath
	BulkEvents   // BulkPath
	ServiceStats // StatsPath
	Health       // HealthPath and InternalHealthPath

	endpointCount
)

var endpointNames = [endpointCount]string{
	"any", "events", "feed", "stream-access", "sessions", "single event", "bulk events", "stats", "health",
}

func (e Endpoint) String() string {
	if e < endpointCount {
		return endpointNames[e]
	}
	return fmt.Sprintf("Endpoint(%d)", uint8(e))
}

const (
	// EventsPath is the path of the events endpoint. With /ID behind it, GET
	// gives one event.
	EventsPath = "/api/v1/events"
	// StreamAccessPath is where access to the feed is handed out, by POST.
	StreamAccessPath = "/internal/dashboard/stream-access"
	// DefaultFeedPath is the path of the feed where Options.FeedPaths is empty.
	DefaultFeedPath = "/api/v1/events/d4ta/x7k9/feed"
	// DefaultTokenHeader carries the stream token.
	DefaultTokenHeader = "X-Stream-Token"

	// SessionsPath lists sessions with the number of their events. With /ID
	// behind it, GET gives one session.
	SessionsPath = "/api/v1/sessions"
	// BulkPath gives the events whose ids are in the body, by POST.
	BulkPath = "/api/v1/events/bulk"
	// StatsPath gives counts of events by type and device.
	StatsPath = "/internal/stats"
	// HealthPath needs no key.
	HealthPath = "/health"
	// InternalHealthPath is another path to the same.
	InternalHealthPath = "/internal/health"
)

// method is the one that the endpoint wants.
func (e Endpoint) method() string {
	if e == StreamAccess || e == BulkEvents {
		return http.MethodPost
	}
	return http.MethodGet
}

// allows reports whether the endpoint answers the method: HEAD is answered like
// GET, without the body.
func (e Endpoint) allows(method string) bool {
	return method == e.method() || method == http.MethodHead && e.method() == http.MethodGet
}

// ofPull reports whether a pull needs the endpoint.
func (e Endpoint) ofPull() bool { return e == Events || e == Feed || e == StreamAccess }

// needsKey reports whether the endpoint refuses requests without a key.
func (e Endpoint) needsKey() bool { return e != Health }
