package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"datasync/internal/model"
	"datasync/internal/store"
)

// ErrParams says that the values of --param do not match the parameters of the SQL.
var ErrParams = model.NewFailure(model.ExitUsage, "", "parameters")

// checkParams fails with ErrParams if no statement has a parameter for a value.
func checkParams(statements []string, params map[string]string) error {
	unused := maps.Clone(params)
	for _, text := range statements {
		replaceParameters(text, func(name string) string {
			delete(unused, name)
			return ""
		})
	}
	for _, name := range slices.Sorted(maps.Keys(unused)) {
		return fmt.Errorf("%w: the SQL has no parameter $%s", ErrParams, name)
	}
	return nil
}

// checkPrints fails if a statement asks DuckDB to print by itself. The program discards such
// output however it is requested; the error tells the user so.
func checkPrints(text string) (err error) {
	name := ""
	lex(text, func(p part, from, to int) {
		if p == blank {
			return
		}
		if piece := text[from:to]; piece == "(" && (name == "enable_logging" || name == "enable_profiling") {
			err = fmt.Errorf("%s() is refused: only results are printed; EXPLAIN ANALYZE shows how a statement runs", name)
		} else {
			name = strings.ToLower(strings.Trim(piece, `"`))
		}
	})
	return err
}

// prepare prepares one statement and binds its parameters. If cast is true, all columns except
// times are text.
func prepare(ctx context.Context, session *store.Session, text string, opts Options) (_ *store.Statement, columns []column, cast bool, err error) {
	if err := checkPrints(text); err != nil {
		return nil, nil, false, err
	}
	st, text, err := prepareTyped(session, text)
	if errors.Is(err, store.ErrSeveral) {
		st, text, err = materialise(ctx, session, text)
	}
	if err != nil {
		return nil, nil, false, err
	}
	for _, c := range st.Columns {
		columns = append(columns, newColumn(c))
	}
	if st.Kind == store.Select && len(columns) > 0 {
		// Some statements with rows are not allowed after FROM. They run unchanged.
		if wrapped, err := session.Prepare(wrap(text, columns, opts.Format)); err == nil {
			wrapped.Kind = st.Kind
			st.Close()
			st, cast = wrapped, true
		}
	}
	if err := bind(st, opts.Params); err != nil {
		st.Close()
		return nil, nil, false, err
	}
	return st, columns, cast, nil
}

// materialise runs a statement that DuckDB splits into several, such as PIVOT. It stores the
// result in a temporary table in memory, and prepares a statement that reads the table.
func materialise(ctx context.Context, session *store.Session, text string) (*store.Statement, string, error) {
	if _, err := session.Exec(ctx, "CREATE OR REPLACE TEMP TABLE datasync_steps AS "+text); err != nil {
		return nil, "", err
	}
	const read = "FROM temp.datasync_steps"
	st, err := session.Prepare(read)
	return st, read, err
}

// prepareTyped prepares the statement with text parameters, and returns the SQL that casts each
// to its type.
func prepareTyped(session *store.Session, text string) (*store.Statement, string, error) {
	st, err := session.Prepare(text)
	if err != nil || len(st.Parameters) == 0 {
		return st, text, err
	}
	types := map[string]string{}
	for _, p := range st.Parameters {
		types[p.Name] = p.Type
	}
	st.Close()
	typed := replaceParameters(text, func(name string) string {
		t := types[name]
		if t == "" || t == `"NULL"` {
			t = "VARCHAR"
		}
		return fmt.Sprintf("CAST($%s AS %s)", name, t)
	})
	st, err = session.Prepare(typed)
	return st, typed, err
}

func bind(st *store.Statement, params map[string]string) error {
	for i, p := range st.Parameters {
		value, ok := params[p.Name]
		if !ok {
			return fmt.Errorf("%w: $%s has no value; give --param %s=VALUE", ErrParams, p.Name, p.Name)
		}
		if err := st.Bind(i, value); err != nil {
			return err
		}
	}
	return nil
}

// wrap returns a statement that casts the columns of another one.
func wrap(text string, columns []column, f Format) string {
	names, casts := make([]string, len(columns)), make([]string, len(columns))
	for i := range columns {
		names[i] = fmt.Sprintf("c%d", i)
		casts[i] = columns[i].cast(names[i], f)
	}
	return fmt.Sprintf("SELECT %s FROM (%s\n) AS result(%s)", strings.Join(casts, ", "), text, strings.Join(names, ", "))
}
