package mockserver

import (
	"net/http"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Server is the mock server. It is an http.Handler; Transport and Serve are the other ways to use
// it. It is safe for concurrent use.
type Server struct {
	opts    Options
	phases  []phase // of opts.Events, opts.Feed and opts.Changes
	data    *Dataset
	cursors cursorMaker
	buffers sync.Pool // of *[]byte, the bodies of pages
	zips    sync.Pool // of *gzip.Writer

	mu       sync.Mutex
	scripts  []*running
	windows  [endpointCount]window
	caches   [endpointCount]map[string]cached
	tokens   map[string]time.Time // expiry by token
	handed   int                  // number of tokens so far
	loop     map[int]loopCursor
	keyUsed  int
	keyFirst time.Time
	journal  journal
}

var _ http.Handler = (*Server)(nil)

// New returns a server. It panics if Options.Validate returns an error.
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

// Dataset returns the data that the server serves.
func (s *Server) Dataset() *Dataset { return s.data }

func (s *Server) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.opts.TimeScale)
}

// ExpireCursors makes all cursors so far expire, like a pause longer than their life. A cursor that
// a client has made itself expires too if its expiry is not after that of a cursor made now.
func (s *Server) ExpireCursors() {
	s.cursors.ended.Store(time.Now().Add(s.scaled(s.opts.Cursor.Life)).UnixMilli())
}

// newZip returns a compressor at its fastest level: tests rarely measure the server.
func newZip() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	return w
}

// AddScript adds scripts, whose request numbers count from New too. It panics if a script is
// invalid.
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
