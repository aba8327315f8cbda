package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"datasync/export"
	"datasync/internal/web/guard"
	"datasync/query"
)

// downloads are the formats of a download, and the types of their contents.
var downloads = map[string]struct {
	format export.Format
	mime   string
}{"csv": {export.CSV, "text/csv; charset=utf-8"}, "parquet": {export.Parquet, "application/vnd.apache.parquet"}}

// errTooMany: too many files of downloads are not fetched yet.
var errTooMany = errors.New("too many downloads wait: fetch them, or try again in half a minute")

// downloadBytes bounds DuckDB's buffers during a download.
const downloadBytes = 512_000_000

// downloaded is the answer to a request for a download: its path, or an error.
type downloaded struct {
	Path  string `json:"path"`
	Error *wrong `json:"error"`
}

// download writes the result of a statement to a file, and answers with a path that serves it once.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	a, ok := ask(w, r)
	if !ok {
		return
	}
	guard.NewWriter(w) // the deadline of the request is over
	if _, known := downloads[a.Format]; !known {
		http.Error(w, "the format is csv or parquet", http.StatusBadRequest)
		return
	}
	path, err := s.prepare(r.Context(), a.SQL, a.Format)
	if r.Context().Err() != nil {
		return // the ticket's file is removed when it expires
	}
	out := downloaded{Path: path}
	if err != nil {
		out.Error = s.wrongOf(err)
	}
	answer(w, out)
}

// prepare writes the file of a download and returns the path that serves it.
func (s *Server) prepare(ctx context.Context, text, format string) (path string, err error) {
	folder, err := os.MkdirTemp(s.Scratch, "download-")
	if err != nil {
		return "", err
	}
	remove := func() { _ = os.RemoveAll(folder) }
	defer func() {
		if err != nil {
			remove()
		}
	}()
	file := filepath.Join(folder, "result."+format)
	if err := s.write(ctx, text, file, downloads[format].format); err != nil {
		return "", err
	}
	path, ok := s.guard.Ticket(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer remove()
		serveFile(w, file, downloads[format].mime)
	}), remove)
	if !ok {
		return "", errTooMany
	}
	return path, nil
}

// write writes the result of a statement to a new file.
func (s *Server) write(ctx context.Context, text, file string, format export.Format) error {
	ctx, cancel := context.WithTimeoutCause(ctx, statementTime, errTooLong)
	defer cancel()
	statements, _ := query.Split(text)
	switch len(statements) {
	case 0:
		return query.ErrEmpty
	case 1:
	default:
		return query.ErrSeveral
	}
	err := s.use(ctx, "write a download", func(ctx context.Context, path string) error {
		_, err := export.Run(ctx, export.Options{
			Database: path, Target: file, Force: true, Selection: export.Selection{Query: statements[0]},
			Layout: export.Layout{Format: format, Timezone: s.Timezone}, MemoryLimit: downloadBytes,
		})
		return query.Locate(err, statements[0])
	})
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// serveFile sends a file as a download.
func serveFile(rw http.ResponseWriter, file, mime string) {
	f, err := os.Open(file)
	if err != nil {
		http.Error(rw, "the file of the download is gone: ask for it again on the page", http.StatusGone)
		return
	}
	defer func() { _ = f.Close() }()
	rw.Header().Set("Content-Type", mime)
	rw.Header().Set("Content-Disposition", `attachment; filename="`+filepath.Base(file)+`"`)
	_, _ = io.Copy(guard.NewWriter(rw), f)
}
