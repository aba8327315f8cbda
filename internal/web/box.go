package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"
	"datasync/internal/web/guard"
	"datasync/query"
)

// statementTime is how long a statement may take: a variable for the tests.
var statementTime = 30 * time.Second

const (
	// statementMemory is how much DuckDB's buffers may take for a statement, and shownRows how many rows of its
	// result are shown.
	statementMemory = "512MB"
	shownRows       = 10_000
	// maxBody is the largest request in bytes.
	maxBody = 1 << 20
)

var (
	// errBusy: the file is in use by another request of a page.
	errBusy = errors.New("another statement is running: try again when it has ended")
	// errTooLong: a statement took too long.
	errTooLong = fmt.Errorf("stopped: the statement took more than %s", term.Duration(statementTime))
)

// box has the names that completion offers. Its zero value knows none.
type box struct {
	mu      sync.Mutex
	names   *inspect.Session
	columns []inspect.Column
}

// learn reads the names of a file that is open.
func (b *box) learn(ctx context.Context, session *inspect.Session) {
	columns, err := session.Columns(ctx)
	if err != nil {
		return // statements work without completion
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names != nil && slices.Equal(b.columns, columns) {
		return
	}
	names, err := inspect.OpenNames(ctx, columns)
	if err != nil {
		return
	}
	if b.names != nil {
		_ = b.names.Close()
	}
	b.names, b.columns = names, columns
}

// knows reports whether names are known.
func (b *box) knows() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.names != nil
}

// close forgets the names.
func (b *box) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names != nil {
		_ = b.names.Close()
		b.names = nil
	}
}

// complete returns completions of the word before the position, and where it begins.
func (b *box) complete(ctx context.Context, before, after string) (words []string, begin int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names == nil {
		return nil, len(before)
	}
	words, begin, err := query.Complete(ctx, b.names, before, after)
	if err != nil {
		return nil, len(before)
	}
	return words, begin
}

// asked is a request of the box.
type asked struct {
	SQL string `json:"sql"`
	// Format is that of a download: csv or parquet.
	Format string `json:"format"`
	// Text is the SQL so far, and At the position of the cursor in it, in bytes of UTF-8.
	Text string `json:"text"`
	At   int    `json:"at"`
}

// ask reads a request; it answers it itself and returns false if that is none. It reads to the end of the body: only
// then the server notices that the client goes.
func ask(w http.ResponseWriter, r *http.Request) (a asked, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(body, &a)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, "the SQL is longer than 1 MiB", http.StatusRequestEntityTooLarge)
	case err != nil:
		http.Error(w, "the request is not the page's", http.StatusBadRequest)
	}
	return a, err == nil
}

// answer sends a value as JSON.
func answer(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json")
	_, _ = guard.NewWriter(rw).Write(encoded(v))
}

// wrong is an error of a statement: its text, and the line of the SQL with a caret below, if it has a position.
type wrong struct {
	Text    string `json:"text"`
	Excerpt string `json:"excerpt,omitempty"`
}

// excerptWidth is how many columns an excerpt has. The page scrolls a longer line.
const excerptWidth = 240

// wrongOf returns an error as the page shows it.
func (s *Server) wrongOf(err error) *wrong {
	var sql *query.StatementError
	text := ""
	if errors.As(err, &sql) {
		text = sql.Error()
	} else {
		text = s.Explain(err)
	}
	return &wrong{inBox.Replace(text), query.Excerpt(err, excerptWidth)}
}

// inBox rewords errors of an export: the page has no options.
var inBox = strings.NewReplacer("export: --query: ", "", "export: --query", "the statement", "--query", "the statement")

// queried is the answer to a statement.
type queried struct {
	Columns []gridColumn `json:"columns"`
	Rows    [][]*string  `json:"rows"`
	More    bool         `json:"more"`
	Took    float64      `json:"took_s"`
	Batch   int64        `json:"batch"`
	Error   *wrong       `json:"error"`
}

type gridColumn struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Number bool   `json:"number"`
}

// query runs a statement, until its client goes.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	a, ok := ask(w, r)
	if !ok {
		return
	}
	guard.NewWriter(w) // the deadline of the request is over
	began := time.Now()
	out := queried{Columns: []gridColumn{}, Rows: [][]*string{}}
	grid, batch, err := s.run(r.Context(), a.SQL)
	out.Took, out.Batch = time.Since(began).Round(time.Millisecond).Seconds(), batch
	switch {
	case r.Context().Err() != nil:
		return // the client is gone
	case err != nil:
		out.Error = s.wrongOf(err)
	default:
		out.More = grid.More
		for _, c := range grid.Columns {
			out.Columns = append(out.Columns, gridColumn(c))
		}
		for _, row := range grid.Rows {
			cells := make([]*string, len(row))
			for i := range row {
				if row[i].Valid {
					cells[i] = &row[i].String
				}
			}
			out.Rows = append(out.Rows, cells)
		}
	}
	answer(w, out)
}

// run runs a statement on the file or a copy, and returns the batch as of which its result is.
func (s *Server) run(ctx context.Context, text string) (grid *query.Grid, batch int64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, statementTime, errTooLong)
	defer cancel()
	err = s.use(ctx, "run a statement", func(ctx context.Context, path string) error {
		session, err := inspect.OpenSession(ctx, path, inspect.ReadOptions{Timezone: s.Timezone, MemoryLimit: statementMemory})
		if err != nil {
			return err
		}
		defer func() { _ = session.Close() }() // a read-only session has nothing to lose
		s.box.learn(ctx, session)
		if edition, err := inspect.ReadEdition(ctx, session.DB()); err == nil {
			batch = edition.Batch
		}
		grid, err = query.ReadGrid(ctx, session, query.Options{SQL: text, Location: s.Zone, MaxRows: shownRows})
		return err
	})
	if err != nil && ctx.Err() != nil && model.ExitOf(err).Code != model.ExitUsage {
		err = context.Cause(ctx)
	}
	return grid, batch, err
}

// completed is the answer to a request for completions.
type completed struct {
	From  int      `json:"from"`
	Items []string `json:"items"`
}

// complete answers with the completions at a position.
func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	a, ok := ask(w, r)
	if !ok {
		return
	}
	if !s.box.knows() {
		_ = s.use(r.Context(), "read names", func(ctx context.Context, path string) error {
			session, err := inspect.OpenSession(ctx, path, inspect.ReadOptions{})
			if err == nil {
				s.box.learn(ctx, session)
				err = session.Close()
			}
			return err
		}) // without names nothing is offered
	}
	at := min(max(a.At, 0), len(a.Text))
	words, begin := s.box.complete(r.Context(), a.Text[:at], a.Text[at:])
	answer(w, completed{begin, append([]string{}, words...)})
}
