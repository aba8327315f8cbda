package mockserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
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
	key, cookie  string

	endpoint Endpoint // Any where the path is none of the API's
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
	in := &incoming{
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
	in.endpoint = s.route(r.URL)
	s.arrive(in)

	a := s.respond(in)
	a.endpoint = in.endpoint
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

func (s *Server) route(u *url.URL) Endpoint {
	switch u.Path {
	case EventsPath:
		return Events
	case StreamAccessPath:
		return StreamAccess
	}
	if slices.Contains(s.opts.Access.FeedPaths, u.Path) || slices.Contains(s.opts.Access.FeedPaths, u.EscapedPath()) {
		return Feed
	}
	return Any
}

func (s *Server) respond(in *incoming) *answer {
	if in.fault.instead != nil {
		return in.fault.instead(s, in)
	}
	if in.endpoint == Any {
		return s.refuse(http.StatusNotFound, "NOT_FOUND", "No such path")
	}
	want := http.MethodGet
	if in.endpoint == StreamAccess {
		want = http.MethodPost
	}
	if in.method != want {
		a := s.refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Use "+want)
		a.header.Set("Allow", want)
		return a
	}
	if !s.keyAccepted(in) {
		return s.keyRefused()
	}
	if in.endpoint == StreamAccess {
		return s.streamAccess(in)
	}
	return s.page(in)
}

// keyAccepted checks header and cookie, and counts the use of the key.
func (s *Server) keyAccepted(in *incoming) bool {
	want := s.opts.Key
	if want == "" {
		want = in.key
	}
	if want == "" || in.key != want || in.cookie != want {
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
		setRateHeaders(h, limit, remaining, left)
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
	if s.opts.OmitErrorCode {
		code = ""
	}
	// Strings always marshal.
	text, _ := json.Marshal(struct {
		Error   string `json:"error"`
		Code    string `json:"code,omitempty"`
		Message string `json:"message"`
	}{http.StatusText(status), code, message})
	return string(text)
}

func (s *Server) keyRefused() *answer {
	return s.refuse(http.StatusUnauthorized, "INVALID_API_KEY", "The API key is missing, wrong or no longer valid")
}

func (s *Server) badCursor(err error) *answer {
	code := "CURSOR_INVALID"
	if s.opts.Cursor.SwapWords {
		code = "INVALID_CURSOR"
	}
	if errors.As(err, new(*cursorExpiredError)) {
		code = "CURSOR_EXPIRED"
		if s.opts.Cursor.SwapWords {
			code = "EXPIRED_CURSOR"
		}
	}
	return s.refuse(s.opts.Cursor.ErrorStatus, code, err.Error())
}
