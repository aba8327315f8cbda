package export

import (
	"context"
	"fmt"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// source is the rows to export, in SQL: those of a relation, known as e, that meet a condition.
type source struct {
	relation, where string
	columns         []duck.ColumnType
	sort            sortKey
	// isQuery says that the rows are those of a query. Its relation is temporary: only the
	// session that made it sees it.
	isQuery bool
}

// sortKey is the BIGINT by which the rows of a folder's files ascend, and by which rows are cut
// into files.
type sortKey struct {
	number         string // of a row
	atLeast, below string // conditions on it, with a verb for an int64
	order          string // the ORDER BY list, ties broken; empty if rows have no order
}

// eventsSort compares timestamps, not their numbers, so that DuckDB skips row groups by their
// statistics.
var eventsSort = sortKey{
	number:  `epoch_us(e."timestamp")`,
	atLeast: `e."timestamp" >= make_timestamptz(%d)`,
	below:   `e."timestamp" < make_timestamptz(%d)`,
	order:   `e."timestamp", e.id`,
}

// rowSort keeps the rows of a table in the order in which they were inserted.
var rowSort = sortKey{number: "e.rowid", atLeast: "e.rowid >= %d", below: "e.rowid < %d", order: "e.rowid"}

// between returns the conditions that a row's number is at least first and below next.
func (k *sortKey) between(first, next int64) []string {
	return []string{fmt.Sprintf(k.atLeast, first), fmt.Sprintf(k.below, next)}
}

const (
	queryView  = "temp.main.selected"
	queryTable = "temp.main.kept"
)

// newSource makes the source of a selection. It fails with ErrOptions if the condition or the
// query is not one.
func newSource(ctx context.Context, s *inspect.Session, sel Selection) (source, error) {
	if sel.Query != "" {
		return querySource(ctx, s, sel.Query)
	}
	return eventsSource(ctx, s, sel)
}

// conditionBegins is the text before the user's condition. It occurs only once in a statement.
const conditionBegins = "(\n"

func eventsSource(ctx context.Context, s *inspect.Session, sel Selection) (source, error) {
	src := source{relation: "main.events", sort: eventsSort}
	var conditions []string
	if sel.Since.Valid {
		conditions = append(conditions, fmt.Sprintf(src.sort.atLeast, sel.Since.V))
	}
	if sel.Until.Valid {
		conditions = append(conditions, fmt.Sprintf(src.sort.below, sel.Until.V))
	}
	if sel.Where != "" {
		if err := checkCondition(ctx, s, sel.Where); err != nil {
			return source{}, err
		}
		conditions = append(conditions, conditionBegins+sel.Where+"\n)")
	}
	src.where = conjunction(conditions...)
	return src, src.describe(s)
}

// querySource makes a view of a query. CREATE VIEW proves that it is one SELECT: its text ends
// the statement, so there are no parentheses around it that it could close.
func querySource(ctx context.Context, s *inspect.Session, query string) (source, error) {
	st, err := s.Prepare(query) // fails for more than one statement
	if err != nil {
		return source{}, invalid("--query: %w", err)
	}
	isSelect, parameters := st.Kind == duck.Select, len(st.Parameters)
	st.Close()
	switch {
	case !isSelect:
		return source{}, invalid("--query is not a SELECT")
	case parameters > 0:
		return source{}, invalid("--query has parameters, which an export has no values for")
	}
	if _, err := s.Exec(ctx, "CREATE TEMP VIEW selected AS "+query); err != nil {
		return source{}, invalid("--query is not a SELECT that could be a view: %w", err)
	}
	src := source{relation: queryView, isQuery: true}
	return src, src.describe(s)
}

// describe reads the columns, which also tells whether the condition is valid.
func (src *source) describe(s *inspect.Session) error {
	text := src.rows("*")
	st, err := s.Prepare(text)
	switch {
	case err != nil && src.where != "":
		return invalid("--where: %w", within(err, strings.Index(text, conditionBegins)+len(conditionBegins)))
	case err != nil:
		return fmt.Errorf("export: %w", err)
	}
	defer st.Close()
	if len(st.Parameters) > 0 {
		return invalid("--where has parameters, which an export has no values for")
	}
	src.columns = st.Columns
	return nil
}

// materialize stores the rows of a query in a table, so that each statement that reads a part
// of them reads the same rows. Events need no copy.
func (src *source) materialize(ctx context.Context, s *inspect.Session) error {
	if !src.isQuery {
		return nil
	}
	order := ""
	if c := src.column("timestamp"); c != nil {
		order = " ORDER BY " + identifier(c.Name)
	}
	if _, err := s.Exec(ctx, "CREATE TEMP TABLE kept AS SELECT * FROM "+queryView+order); err != nil {
		return fmt.Errorf("export: the query: %w", err)
	}
	src.relation, src.sort = queryTable, rowSort
	return nil
}

// batches narrows the source to the events of these commits.
func (src *source) batches(after, upTo int64) {
	src.where = conjunction(src.where, fmt.Sprintf("e.batch > %d AND e.batch <= %d", after, upTo))
}

// rows returns the SELECT of columns of the rows that meet the conditions as well.
func (src *source) rows(columns string, conditions ...string) string {
	where := conjunction(append([]string{src.where}, conditions...)...)
	if where != "" {
		where = " WHERE " + where
	}
	return "SELECT " + columns + " FROM " + src.relation + " e" + where
}

// count returns the number of rows that meet the conditions as well.
func (src *source) count(ctx context.Context, s *inspect.Session, conditions ...string) (int64, error) {
	rows, err := ask(ctx, s, src.rows("count(*)", conditions...), 0, 1)
	if err != nil {
		return 0, err
	}
	return rows[0].numbers[0], nil
}

// column returns the column of that name, nil if there is none.
func (src *source) column(name string) *duck.ColumnType {
	for i, c := range src.columns {
		if strings.EqualFold(c.Name, name) {
			return &src.columns[i]
		}
	}
	return nil
}
