package export

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// source is the rows to export, in SQL: those of a relation, known as e, for which a
// condition holds.
type source struct {
	relation, where string
	columns         []duck.ColumnType
	// axis is a number of each row that rises in the order of rows in a folder's files,
	// low and high are the conditions that a row's is at least, or less than, a number,
	// and order sorts.
	axis, low, high, order string
	// private says that only the session that made it can see the relation.
	private bool
}

// The way of events through time. The bounds are written so that DuckDB skips what lies
// outside of them.
const (
	eventsAxis  = `epoch_us(e."timestamp")`
	eventsLow   = `e."timestamp" >= make_timestamptz(%d)`
	eventsHigh  = `e."timestamp" < make_timestamptz(%d)`
	eventsOrder = `e."timestamp", e.id`
)

// selected is the relation of a query.
const selected = "temp.main.selected"

// newSource makes the source of a selection. A query is checked to be one SELECT and
// nothing else; kept says that its rows are made once, so that parts of them can be asked
// for.
func newSource(ctx context.Context, s *inspect.Session, sel Selection, kept bool) (source, error) {
	if sel.Query != "" {
		return querySource(ctx, s, sel.Query, kept)
	}
	src := source{relation: "main.events", axis: eventsAxis, low: eventsLow, high: eventsHigh, order: eventsOrder}
	var conditions []string
	if sel.Since.Valid {
		conditions = append(conditions, fmt.Sprintf(src.low, sel.Since.V))
	}
	if sel.Until.Valid {
		conditions = append(conditions, fmt.Sprintf(src.high, sel.Until.V))
	}
	if sel.Where != "" {
		if err := checkCondition(ctx, s, sel.Where); err != nil {
			return source{}, err
		}
		conditions = append(conditions, "(\n"+sel.Where+"\n)")
	}
	src.where = allOf(conditions...)
	return src, src.describe(s)
}

// allOf joins conditions; empty ones do not count.
func allOf(conditions ...string) string {
	var kept []string
	for _, c := range conditions {
		if c != "" {
			kept = append(kept, c)
		}
	}
	return strings.Join(kept, " AND ")
}

// rows is the SELECT of columns of the rows for which the conditions hold, too.
func (src *source) rows(columns string, conditions ...string) string {
	where := allOf(append([]string{src.where}, conditions...)...)
	if where != "" {
		where = " WHERE " + where
	}
	return "SELECT " + columns + " FROM " + src.relation + " e" + where
}

// sorted reports whether rows have an order beyond the one in which they come.
func (src *source) sorted() bool { return src.order != "" }

// describe finds out the columns, and whether the condition is one.
func (src *source) describe(s *inspect.Session) error {
	st, err := s.Prepare(src.rows("*"))
	switch {
	case err != nil && src.where != "":
		return unfit("the condition: %w", err)
	case err != nil:
		return fmt.Errorf("export: %w", err)
	}
	defer st.Close()
	if len(st.Parameters) > 0 {
		return unfit("the condition has parameters, and nothing says what they are")
	}
	src.columns = st.Columns
	return nil
}

// querySource makes a relation of a query: a view, or a table of its rows. As the text
// follows CREATE VIEW and ends it, there are no parentheses that it could close.
func querySource(ctx context.Context, s *inspect.Session, query string, kept bool) (source, error) {
	st, err := s.Prepare(query) // which takes one statement only
	if err != nil {
		return source{}, unfit("the query: %w", err)
	}
	isSelect, parameters := st.Kind == duck.Select, len(st.Parameters)
	st.Close()
	switch {
	case !isSelect:
		return source{}, unfit("the query is no SELECT")
	case parameters > 0:
		return source{}, unfit("the query has parameters, and nothing says what they are")
	}
	if _, err := s.Exec(ctx, "CREATE TEMP VIEW selected AS "+query); err != nil {
		return source{}, unfit("the query is no SELECT that could be a view: %w", err)
	}
	src := source{relation: selected, private: true}
	if err := src.describe(s); err != nil {
		return source{}, err
	}
	if !kept {
		return src, nil
	}
	order := ""
	if c := src.column("timestamp"); c != nil {
		order = " ORDER BY " + name(c.Name)
	}
	if _, err := s.Exec(ctx, "CREATE TEMP TABLE kept AS SELECT * FROM "+selected+order); err != nil {
		return source{}, fmt.Errorf("export: the query: %w", err)
	}
	src.relation = "temp.main.kept"
	src.axis, src.low, src.high, src.order = "e.rowid", "e.rowid >= %d", "e.rowid < %d", "e.rowid"
	return src, nil
}

// column returns the column of that name, nil where there is none.
func (src *source) column(name string) *duck.ColumnType {
	for i, c := range src.columns {
		if strings.EqualFold(c.Name, name) {
			return &src.columns[i]
		}
	}
	return nil
}

// checkCondition sees that a text is a condition and nothing else, such as one with an
// ORDER BY behind it, or one that ends in the midst of parentheses.
func checkCondition(ctx context.Context, s *inspect.Session, condition string) error {
	if strings.ContainsRune(condition, 0) {
		return unfit("the condition has a NUL character in it")
	}
	var tree string
	if err := s.DB().QueryRowContext(ctx, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", "SELECT 1 FROM events WHERE "+condition).Scan(&tree); err != nil {
		return err
	}
	var parsed struct {
		Error      bool
		Message    string `json:"error_message"`
		Statements []struct {
			Node struct {
				Type      string
				Modifiers []any
				Groups    []any  `json:"group_expressions"`
				Aggregate string `json:"aggregate_handling"`
				Having    any
				Qualify   any
				Sample    any
			}
		}
	}
	if err := json.Unmarshal([]byte(tree), &parsed); err != nil {
		return fmt.Errorf("read the condition: %w", err)
	}
	if parsed.Error && !strings.Contains(parsed.Message, "Only SELECT") { // several statements
		return unfit("the condition: %s", parsed.Message)
	}
	if len(parsed.Statements) == 1 {
		n := parsed.Statements[0].Node
		if n.Type == "SELECT_NODE" && len(n.Modifiers) == 0 && len(n.Groups) == 0 && n.Aggregate == "STANDARD_HANDLING" && n.Having == nil && n.Qualify == nil && n.Sample == nil {
			return nil
		}
	}
	return unfit("the condition is more than a condition: leave out what follows it")
}
