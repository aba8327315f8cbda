package mockserver

import (
	"compress/gzip"
	"net/http"
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

// ExpireCursors ends the lives of all cursors that were handed out so far, as a pause
// that is longer than they live would. A cursor that a client has made itself is judged
// by its end: it is dead where one that was handed out now would outlive it.
func (s *Server) ExpireCursors() {
	s.cursors.ended.Store(time.Now().Add(s.scaled(s.opts.Cursor.Life)).UnixMilli())
}

// newZip returns a compressor that is as fast as they come: the server is rarely what
// is to be measured.
func newZip() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	return w
}

// AddScript lets a server follow further scripts, whose requests count from
// the server's beginning too. It panics on a script without faults.
func (s *Server) AddScript(scripts ...Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, script := range scripts {
		if err := script.validate(); err != nil {
			panic("mockserver: " + err.Error())
		}
		s.scripts = append(s.scripts, &running{Script: script})
	}
}
