package mockserver

import (
	"time"
)

const (
	maxLog        = 10_000
	maxViolations = 100
)

// Stats are the counts of a server since New.
type Stats struct {
	Events, Feed, StreamAccess EndpointStats
	// Further is the sum of the endpoints that a pull does not need.
	Further EndpointStats

	Unknown     int // requests to paths that the API does not have
	CacheHits   int
	Tokens      int // tokens that stream-access has returned
	InFlight    int // requests being answered now
	MaxInFlight int

	Violations int // requests that Verify reports
	Early      int // violations that were sent during a wait

	// First is the arrival of the first request, Last the end of the last answer so far.
	First, Last time.Time
	// Latency is the sum of the pages' latencies that the options ask for; scaled.
	Latency time.Duration
	// Blocked is the time in which no page was in the making and neither page endpoint allowed a
	// request: its budget was used up, or a wait was not over. A client that requests one page
	// after another takes at least Latency plus Blocked.
	Blocked time.Duration
}

// EndpointStats are the counts of one endpoint.
type EndpointStats struct {
	Requests int
	Limited  int // answers 429
	Pages    int // pages sent, at least in part
	Events   int // events on them
}

// Entry is a request in a server's log.
type Entry struct {
	Time     time.Time
	Endpoint Endpoint // Any if the API does not have the path
	Method   string
	Path     string
	Status   int // 0 if no head was sent
	Limit    int // 0 if the request has none, or no number
	Cursor   bool
	Since    string
	Until    string
	Events   int           // on the page
	Wait     time.Duration // that the answer named
	Fault    string        // of the request; "pass" if none
	// AcceptsGzip says that the client accepts gzip, Gzip that the server compressed the page.
	AcceptsGzip, Gzip bool
}

// journal is the server's record of its requests.
type journal struct {
	counts    [endpointCount]EndpointStats // Any: unknown paths
	all       int
	cacheHits int
	inFlight  int
	maxFlight int
	early     int

	first, last time.Time
	spent       spent

	waits [endpointCount]struct{ asked, until time.Time }

	log        []Entry // a ring once it is full
	logged     int
	violations []error
	violated   int
}

func (j *journal) violate(err error) {
	if j.violated++; len(j.violations) < maxViolations {
		j.violations = append(j.violations, err)
	}
}
