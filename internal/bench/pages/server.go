package pages

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"datasync/mockserver"
)

// Server answers the path of the events endpoint with the pages of a Set, whoever asks and
// whatever limit is sent; a cursor that is none of the Set's is refused. Nothing else is
// there.
//
// A body goes from the file to the socket within the kernel (sendfile, where the system
// has it), as net/http does for a reader that is a file.
type Server struct {
	set      *Set
	byCursor map[string]Page
}

// NewServer returns a server of a Set.
func NewServer(set *Set) *Server {
	s := &Server{set: set, byCursor: make(map[string]Page, len(set.Pages))}
	for _, p := range set.Pages {
		s.byCursor[p.Cursor] = p
	}
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != mockserver.EventsPath || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	page, ok := s.byCursor[r.URL.Query().Get("cursor")]
	if !ok {
		http.Error(w, `{"code":"CURSOR_INVALID"}`, http.StatusBadRequest)
		return
	}
	if err := s.send(w, page); err != nil {
		fmt.Fprintln(os.Stderr, "bench: serve a page:", err)
	}
}

func (s *Server) send(w http.ResponseWriter, page Page) error {
	// Each request reads by a descriptor of its own, as sendfile moves its position.
	file, err := os.Open(s.set.Bodies())
	if err != nil {
		http.Error(w, "{}", http.StatusInternalServerError)
		return err
	}
	defer file.Close()
	if _, err := file.Seek(page.Offset, io.SeekStart); err != nil {
		http.Error(w, "{}", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.FormatInt(page.Length, 10))
	_, err = io.CopyN(w, file, page.Length)
	return err
}
