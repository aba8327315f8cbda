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
	byCursor map[string]string // the file of the page
}

// NewServer returns a server of a Set.
func NewServer(set *Set) *Server {
	s := &Server{byCursor: make(map[string]string, len(set.Cursors))}
	for n, cursor := range set.Cursors {
		s.byCursor[cursor] = set.Page(n)
	}
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != mockserver.EventsPath || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	name, ok := s.byCursor[r.URL.Query().Get("cursor")]
	if !ok {
		http.Error(w, `{"code":"CURSOR_INVALID"}`, http.StatusBadRequest)
		return
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
	defer file.Close()
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
