package query

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"datasync/internal/duck"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"
)

// ErrSeveral says that there is more than one statement where one is expected.
var ErrSeveral = model.NewFailure(model.ExitUsage, "", "this is more than one statement; run one at a time")

// Grid is the result of a statement in memory.
type Grid struct {
	Columns []GridColumn
	// Rows have a text for each column, which is not valid for NULL. Texts are safe to show, and at most
	// about 10,000 bytes long.
	Rows [][]sql.NullString
	// More says that the result has more rows.
	More bool
}

// GridColumn is a column of a Grid. Number says that it has numbers.
type GridColumn struct {
	Name, Type string
	Number     bool
}

// gridBytes is how many bytes of text a Grid has at most, but for its last row.
const gridBytes = 16 << 20

// ReadGrid runs the only statement of opts.SQL and returns its first opts.MaxRows rows, or fewer if they are long.
// A statement without a result returns a Grid without columns. It fails as Run does, and with ErrSeveral.
func ReadGrid(ctx context.Context, session *inspect.Session, opts Options) (*Grid, error) {
	statements, _ := split(opts.SQL)
	switch {
	case len(statements) == 0:
		return nil, ErrEmpty
	case len(statements) > 1:
		return nil, ErrSeveral
	}
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	opts.Format = Box
	if err := checkParams(statements, opts.Params); err != nil {
		return nil, err
	}
	s := statements[0]
	p, err := prepare(ctx, session, s.text, opts)
	if err != nil {
		return nil, s.located(refusal(s.text, err, &opts), p.text.origin)
	}
	defer p.Close()
	g, err := p.grid(ctx, &opts)
	return g, s.located(refusal(s.text, err, &opts), p.text.origin)
}

func (p *prepared) grid(ctx context.Context, opts *Options) (*Grid, error) {
	result, err := p.Run(ctx)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	g := &Grid{}
	if p.Kind == duck.Other {
		_, _, err = copyRows(result, p, discard{}, opts)
		return g, err
	}
	for i := range p.columns {
		c := &p.columns[i]
		name, typeName := heading(c)
		g.Columns = append(g.Columns, GridColumn{name, typeName, c.kind == kindNumber})
	}
	rows, written, err := copyRows(result, p, &gridSink{grid: g, drawn: p.Kind == duck.Explain}, opts)
	if errors.Is(err, errGridFull) {
		g.More, err = true, nil
	}
	g.More = g.More || rows > written
	return g, err
}

// errGridFull ends a result whose texts are too long to be held.
var errGridFull = errors.New("the texts are too long")

// gridSink collects rows.
type gridSink struct {
	grid  *Grid
	bytes int
	// drawn says that the texts are drawings of several lines.
	drawn bool
}

func (s *gridSink) row(cells []cell) error {
	row := make([]sql.NullString, len(cells))
	for i, c := range cells {
		if !c.ok {
			continue
		}
		row[i].Valid = true
		if s.drawn {
			row[i].String = visibleLines(c.text)
		} else {
			row[i].String, _ = cutText(c.text)
		}
		s.bytes += len(row[i].String)
	}
	s.grid.Rows = append(s.grid.Rows, row)
	if s.bytes > gridBytes {
		return errGridFull
	}
	return nil
}

func (*gridSink) end() error { return nil }

// visibleLines returns lines that are safe to show.
func visibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = term.Visible(lines[i])
	}
	return strings.Join(lines, "\n")
}
