package mockserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// answer makes the answer to a request. The caller calls finish.
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
	a.delay -= time.Since(in.now) // the latency includes the time to make the answer
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

// keyAccepted checks the header, and the cookie if Strict is set, and counts the use of the key.
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

// route returns the endpoint of a request, and the id in its path if the endpoint has one. It
// returns Any for a path that the API does not have.
func (s *Server) route(u *url.URL) (e Endpoint, id string) {
	switch u.Path {
	case EventsPath:
		return Events, ""
	case StreamAccessPath:
		return StreamAccess, ""
	}
	if slices.Contains(s.opts.Access.FeedPaths, u.Path) || slices.Contains(s.opts.Access.FeedPaths, u.EscapedPath()) {
		return Feed, ""
	}
	switch u.Path {
	case SessionsPath:
		return Sessions, ""
	case BulkPath:
		return BulkEvents, ""
	case StatsPath:
		return ServiceStats, ""
	case HealthPath, InternalHealthPath:
		return Health, ""
	}
	for e, above := range map[Endpoint]string{Sessions: SessionsPath, SingleEvent: EventsPath} {
		if id, ok := strings.CutPrefix(u.Path, above+"/"); ok && id != "" && !strings.Contains(id, "/") {
			return e, id
		}
	}
	return Any, ""
}
