package mockserver

import (
	"time"
)

const (
	maxLog        = 10_000
	maxViolations = 100
)

// Stats counts what a server has answered since it was made.
type Stats struct {
	Events, Feed, StreamAccess EndpointStats
	// Further are the endpoints that no pull needs, together.
	Further EndpointStats

	Unknown     int // requests to paths that are none of the API's
	CacheHits   int
	Tokens      int // answers of stream-access that handed out a token
	InFlight    int // requests being answered now
	MaxInFlight int

	Violations int // requests that Verify reports
	Early      int // those of them that came inside a wait

	// First is when the first request came, Last when the last answer so far ended.
	First, Last time.Time
	// Latency is the sum of the pages' own latencies, which the options give; scaled.
	Latency time.Duration
	// Blocked is for how long neither endpoint that serves pages could be asked, as its budget
	// was used up or a wait that it had named went on, and no page was being made. Whoever asks for one page after the other takes
	// at least Latency and Blocked together.
	Blocked time.Duration
}

// EndpointStats are the counts of one endpoint.
type EndpointStats struct {
	Requests int
	Limited  int // answers 429
	Pages    int // pages sent, whole or in part
	Events   int // events on them
}

// Entry is a request in a server's log.
type Entry struct {
	Time     time.Time
	Endpoint Endpoint // Any where the path is none of the API's
	Method   string
	Path     string
	Status   int // 0 where no head went out
	Limit    int // 0 where none (or no number) was sent
	Cursor   bool
	Since    string
	Until    string
	Events   int           // on the page
	Wait     time.Duration // that the answer named
	Fault    string        // that the request met; "pass" if none
	// AcceptsGzip says that the request did, Gzip that the server compressed the page.
	AcceptsGzip, Gzip bool
}

// journal is what the server remembers about its requests.
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
