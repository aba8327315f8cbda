package mockserver

import (
	"fmt"
	"net/http"
)

// Endpoint is an endpoint of the API.
type Endpoint uint8

// Any means all endpoints in a Script or a RandomFault. A pull needs the next three; the live
// service was observed to have the others too.
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
	// EventsPath is the path of the events endpoint. GET of EventsPath/ID returns one event.
	EventsPath = "/api/v1/events"
	// StreamAccessPath returns the feed's path and a token, by POST.
	StreamAccessPath = "/internal/dashboard/stream-access"
	// DefaultFeedPath is the path of the feed if Access.FeedPaths is empty.
	DefaultFeedPath = "/api/v1/events/d4ta/x7k9/feed"
	// DefaultTokenHeader is the default header for the stream token.
	DefaultTokenHeader = "X-Stream-Token"

	// SessionsPath lists sessions with the number of their events. GET of SessionsPath/ID returns
	// one session.
	SessionsPath = "/api/v1/sessions"
	// BulkPath returns the events whose ids are in the body, by POST.
	BulkPath = "/api/v1/events/bulk"
	// StatsPath returns counts of events by type and device.
	StatsPath = "/internal/stats"
	// HealthPath needs no key.
	HealthPath = "/health"
	// InternalHealthPath is a second path of the same endpoint.
	InternalHealthPath = "/internal/health"
)

// method returns the method that the endpoint takes.
func (e Endpoint) method() string {
	if e == StreamAccess || e == BulkEvents {
		return http.MethodPost
	}
	return http.MethodGet
}

// allows reports whether the endpoint answers the method. It answers HEAD like GET, without the
// body.
func (e Endpoint) allows(method string) bool {
	return method == e.method() || method == http.MethodHead && e.method() == http.MethodGet
}

// ofPull reports whether a pull needs the endpoint.
func (e Endpoint) ofPull() bool { return e == Events || e == Feed || e == StreamAccess }

// needsKey reports whether the endpoint refuses requests without a key.
func (e Endpoint) needsKey() bool { return e != Health }
