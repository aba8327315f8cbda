package pages

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"datasync/mockserver"
)

// Server answers the path of the events endpoint with the pages of a Set, for any
// key and limit. It refuses a cursor that is not the Set's. It has LinesPath
// too, if that was rendered, and nothing else.
//
// A body goes from the file to the socket within the kernel (sendfile, where the system
// has it): net/http does that for a reader that is a file.
type Server struct {
	byCursor map[string]string // the file of the page
	lines    string            // the file with all events
}

// NewServer returns a server of a Set.
func NewServer(set *Set) *Server {
	s := &Server{lines: set.lines(), byCursor: make(map[string]string, len(set.Cursors))}
	for n, cursor := range set.Cursors {
		s.byCursor[cursor] = set.Page(n)
	}
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Path != mockserver.EventsPath && r.URL.Path != LinesPath {
		http.NotFound(w, r)
		return
	}
	name := s.lines
	if r.URL.Path == mockserver.EventsPath {
		page, ok := s.byCursor[r.URL.Query().Get("cursor")]
		if !ok {
			http.Error(w, `{"code":"CURSOR_INVALID"}`, http.StatusBadRequest)
			return
		}
		name = page
	}
	if err := send(w, name); err != nil {
		fmt.Fprintln(os.Stderr, "bench: serve a page:", err)
	}
}

func send(w http.ResponseWriter, name string) error {
	file, err := os.Open(name)
	if err != nil {
		http.Error(w, "{}", http.StatusInternalServerError)
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		http.Error(w, "{}", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	_, err = io.Copy(w, file)
	return err
}
