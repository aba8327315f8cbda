package mockserver

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Server is the API. It is an http.Handler; see Transport and Serve for the
// other ways to use it. It is safe for concurrent use.
type Server struct {
	opts    Options
	phases  []phase // what opts.Events and opts.Feed are, and become
	data    *Dataset
	cursors cursorMaker
	buffers sync.Pool // of *[]byte, the bodies of pages
	zips    sync.Pool // of *gzip.Writer

	mu       sync.Mutex
	scripts  []*running
	windows  [endpointCount]window
	caches   [endpointCount]map[string]cached
	tokens   map[string]time.Time // token to end of life
	handed   int                  // answers of stream-access so far
	loop     map[int]loopCursor
	keyUsed  int
	keyFirst time.Time
	journal  journal
}

var _ http.Handler = (*Server)(nil)

// New returns a server. It panics where Options.Validate reports an error.
func New(opts Options) *Server {
	if err := opts.Validate(); err != nil {
		panic("mockserver: " + err.Error())
	}
	opts = opts.withDefaults()
	s := &Server{
		opts:    opts,
		phases:  opts.phases(),
		data:    NewDataset(opts.Data),
		cursors: cursorMaker{opts: opts.Cursor, secret: []byte("mockserver cursor secret")},
		tokens:  map[string]time.Time{},
		loop:    map[int]loopCursor{},
	}
	s.buffers.New = func() any { return new([]byte) }
	s.zips.New = newZip
	for e := range s.caches {
		s.caches[e] = map[string]cached{}
	}
	s.AddScript(opts.Scripts...)
	return s
}

// Dataset is what the server serves.
func (s *Server) Dataset() *Dataset { return s.data }

func (s *Server) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.opts.TimeScale)
}

// incoming is a request as far as the API looks at it, with what the server
// noted when it arrived.
type incoming struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte // where the endpoint reads one
	key, cookie  string
	ctx          context.Context

	endpoint Endpoint // Any where the path is none of the API's
	id       string   // in the path
	now      time.Time
	phase    *phase // that it came in
	serial   int    // counts all requests
	inFlight int    // requests being answered, this one included
	fault    Fault
}

// answer is what goes out. Handler and transport deliver it alike.
type answer struct {
	status int
	header http.Header
	body   []byte
	pooled *[]byte // where body came from, if from the pool
	gzip   bool    // body was compressed
	head   bool    // the request was a HEAD: the body stays here

	delay     time.Duration
	wait      time.Duration // the longest wait that the answer names
	retryDate time.Duration // a wait to be named as a date when it goes out

	how   delivery
	n     int
	pause time.Duration

	endpoint Endpoint
	events   int
	done     bool
}

// answer decides about a request. The caller sees to finish.
func (s *Server) answer(r *http.Request) *answer {
	endpoint, id := s.route(r.URL)
	var body []byte
	if endpoint == BulkEvents {
		body = readBody(r)
	}
	in := &incoming{
		ctx: r.Context(), endpoint: endpoint, id: id, body: body,
		method: r.Method,
		path:   r.URL.EscapedPath(),
		query:  r.URL.Query(),
		header: r.Header,
		key:    r.Header.Get("X-API-Key"),
		now:    time.Now(),
	}
	if c, err := r.Cookie("dashboard_api_key"); err == nil {
		in.cookie = c.Value
	}
	s.arrive(in)

	a := s.respond(in)
	a.endpoint, a.head = in.endpoint, in.method == http.MethodHead
	s.compress(in, a)
	a.delay += s.scaled(in.fault.delay)
	if in.fault.deliver != nil {
		in.fault.deliver(a)
		a.pause = s.scaled(a.pause)
	}
	if a.how == deliverWhole && s.opts.Rate > 0 {
		a.how = deliverPaced
	}
	s.note(in, a)
	a.delay -= time.Since(in.now) // what it took to make the answer is part of its latency
	return a
}

func (s *Server) respond(in *incoming) *answer {
	if in.fault.instead != nil {
		return in.fault.instead(s, in)
	}
	if in.method == http.MethodOptions {
		return s.bareError(http.StatusGatewayTimeout)
	}
	if in.endpoint == Any {
		return s.refuse(http.StatusNotFound, "ENDPOINT_NOT_FOUND", "No such endpoint")
	}
	if !in.endpoint.allows(in.method) {
		a := s.refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Use "+in.endpoint.method())
		a.header.Set("Allow", in.endpoint.method())
		return a
	}
	if in.endpoint.needsKey() && !s.keyAccepted(in) {
		return s.keyRefused()
	}
	switch in.endpoint {
	case Events, Feed:
		return s.page(in)
	case StreamAccess:
		return s.streamAccess(in)
	}
	refused, header := s.admit(in)
	if refused != nil {
		return refused
	}
	a := s.further(in)
	if a.status == http.StatusOK {
		a.header = header
	}
	return a
}

// keyAccepted checks the header, and the cookie where Strict says so, and counts
// the use of the key.
func (s *Server) keyAccepted(in *incoming) bool {
	want := s.opts.Key
	if want == "" {
		want = in.key
	}
	if want == "" || in.key != want || s.opts.Strict && in.cookie != want {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keyUsed == 0 {
		s.keyFirst = in.now
	}
	s.keyUsed++
	if n := s.opts.KeyRequests; n > 0 && s.keyUsed > n {
		return false
	}
	life := s.scaled(s.opts.KeyLife)
	return life == 0 || in.now.Sub(s.keyFirst) < life
}

func (s *Server) rateLimit(in *incoming) RateLimit {
	switch in.endpoint {
	case Events, Feed:
		return in.phase.pages(in.endpoint).RateLimit
	case StreamAccess:
		return s.opts.Access.RateLimit
	case Sessions:
		return s.opts.Sessions
	case BulkEvents:
		return s.opts.Bulk
	}
	return RateLimit{}
}

// admit counts the request towards its rate limit. It returns the 429 that
// the request gets, or the headers for its proper answer.
func (s *Server) admit(in *incoming) (*answer, http.Header) {
	h := jsonHeader()
	limit := s.rateLimit(in)
	if limit.Requests == 0 {
		return nil, h
	}
	s.mu.Lock()
	ok, remaining, left := s.windows[in.endpoint].take(in.now, limit.Requests, s.scaled(limit.Window))
	s.closed(in.now)
	s.mu.Unlock()
	if !ok {
		return s.limited(limit, left), nil
	}
	if limit.Headers {
		s.setRateHeaders(h, limit, remaining, left)
	}
	return nil, h
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}

// refuse is an error in the API's form.
func (s *Server) refuse(status int, code, message string) *answer {
	return &answer{status: status, header: jsonHeader(), body: []byte(s.errorBody(status, code, message))}
}

func (s *Server) errorBody(status int, code, message string) string {
	hint := hints[code]
	if s.opts.OmitErrorCode {
		code = ""
	}
	// Strings always marshal.
	text, _ := json.Marshal(struct {
		Error   string `json:"error"`
		Code    string `json:"code,omitempty"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
	}{statusText(status), code, message, hint})
	return string(text)
}

// hints are what some errors carry beside their message, by their codes.
var hints = map[string]string{
	"ENDPOINT_NOT_FOUND": "Events are at " + EventsPath,
	"INVALID_API_KEY":    "Send the key in the header X-API-Key",
	"DASHBOARD_REQUIRED": "Open the dashboard in a browser",
}

// statusText has a text for every status, known or not.
func statusText(status int) string {
	return cmp.Or(http.StatusText(status), "Status "+strconv.Itoa(status))
}

func (s *Server) keyRefused() *answer {
	return s.refuse(http.StatusUnauthorized, "INVALID_API_KEY", "The API key is missing, wrong or no longer valid")
}

func (s *Server) badCursor(err error) *answer {
	c := s.opts.Cursor
	if c.Unnamed || c.ErrorStatus >= http.StatusInternalServerError {
		return s.bareError(c.ErrorStatus)
	}
	expired := errors.As(err, new(*cursorExpiredError))
	code := "CURSOR_INVALID_FORMAT"
	switch {
	case expired && c.SwapWords:
		code = "EXPIRED_CURSOR"
	case expired:
		code = "CURSOR_EXPIRED"
	case c.SwapWords:
		code = "INVALID_CURSOR"
	case c.ShortWords:
		code = "CURSOR_INVALID"
	}
	return s.refuse(c.ErrorStatus, code, err.Error())
}

// bareError is an error that says no more than its status does.
func (s *Server) bareError(status int) *answer { return s.refuse(status, "", statusText(status)) }
