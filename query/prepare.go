package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"datasync/internal/duck"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// ErrParams says that a parameter of the SQL has no value, or a value no parameter.
var ErrParams = model.NewFailure(model.ExitUsage, "", "parameters")

// checkParams fails if a value is given that no statement has a parameter for.
func checkParams(statements []statement, params map[string]string) error {
	unused := maps.Clone(params)
	var names []string
	for _, s := range statements {
		replaceParameters(s.text, func(name string) string {
			delete(unused, name)
			if !slices.Contains(names, "$"+name) {
				names = append(names, "$"+name)
			}
			return ""
		})
	}
	if len(unused) == 0 {
		return nil
	}
	known := ""
	if len(names) > 0 {
		known = ", but " + strings.Join(names, ", ")
	}
	return fmt.Errorf("%w: the SQL has no parameter $%s%s", ErrParams, slices.Min(slices.Collect(maps.Keys(unused))), known)
}

// checkPrints fails if a statement asks DuckDB to print. The program discards what libraries
// print, so the user would wait for output that never comes.
func checkPrints(text string) (err error) {
	name := ""
	lex(text, func(t token, from, to int) {
		if t == blank {
			return
		}
		if word := text[from:to]; word == "(" && (name == "enable_logging" || name == "enable_profiling") {
			err = fmt.Errorf("%s() is refused: only results are printed; EXPLAIN ANALYZE shows how a statement runs", name)
		} else {
			name = strings.ToLower(strings.Trim(word, `"`))
		}
	})
	return err
}

// prepared is a statement with its parameters bound. The caller closes it.
type prepared struct {
	*duck.Statement
	columns []column
	asText  bool // all columns are cast to text, but for times
	text    rewritten
}

// rewritten is a statement as DuckDB gets it.
type rewritten struct {
	text  string
	ahead int    // bytes before the statement
	spans []span // parameters, and what they became
	// instants are the parameters that are instants with a time zone.
	instants []string
}

// origin returns the byte of the statement that became a byte of the text, or -1.
func (r *rewritten) origin(at int) int {
	at -= r.ahead
	shift := 0
	for _, s := range r.spans {
		if at < s.newFrom {
			break
		}
		if at < s.newTo {
			return s.from
		}
		shift = s.to - s.newTo
	}
	return at + shift
}

// prepare prepares one statement. The text of the result is what DuckDB got, also after an error.
func prepare(ctx context.Context, session *inspect.Session, text string, opts Options) (p prepared, err error) {
	if err := checkCommand(text); err != nil {
		return prepared{}, err
	}
	if err := checkPrints(text); err != nil {
		return prepared{}, err
	}
	p.Statement, p.text, err = prepareTyped(session, plainSpaces(text))
	if errors.Is(err, duck.ErrSeveral) {
		p.Statement, p.text, err = materialize(ctx, session, p.text)
	}
	if err != nil {
		return p, err
	}
	for _, c := range p.Columns {
		p.columns = append(p.columns, newColumn(c))
	}
	if p.Kind == duck.Select && len(p.columns) > 0 {
		// Some statements with rows cannot be a subquery: they are run unwrapped.
		text := wrap(p.text, p.columns, opts.Format)
		if wrapped, err := session.Prepare(text.text); err == nil {
			wrapped.Kind = p.Kind
			p.Close()
			p.Statement, p.text, p.asText = wrapped, text, true
		}
	}
	if err := p.bind(opts); err != nil {
		p.Close()
		return p, err
	}
	return p, nil
}

// materialize runs a statement that DuckDB splits into several, such as PIVOT, into a temporary
// table in memory, and prepares one that reads the table.
func materialize(ctx context.Context, session *inspect.Session, text rewritten) (*duck.Statement, rewritten, error) {
	const create = "CREATE OR REPLACE TEMP TABLE datasync_steps AS "
	if _, err := session.Exec(ctx, create+text.text); err != nil {
		text.ahead = len(create)
		return nil, text, err
	}
	const read = "FROM temp.datasync_steps"
	st, err := session.Prepare(read)
	return st, rewritten{text: read, ahead: len(read)}, err
}

// prepareTyped prepares a statement whose parameters are bound as text: each is cast to the type
// that DuckDB inferred for it. It returns the SQL with the casts.
func prepareTyped(session *inspect.Session, text string) (*duck.Statement, rewritten, error) {
	st, err := session.Prepare(text)
	if err != nil || len(st.Parameters) == 0 {
		return st, rewritten{text: text}, err
	}
	types := map[string]string{}
	for _, p := range st.Parameters {
		types[p.Name] = p.Type
	}
	st.Close()
	typed, spans := replaceParameters(text, func(name string) string {
		t := types[name]
		if t == "" || t == `"NULL"` {
			t = "VARCHAR"
		}
		return fmt.Sprintf("CAST($%s AS %s)", name, t)
	})
	st, err = session.Prepare(typed)
	sent := rewritten{text: typed, spans: spans}
	for name, t := range types {
		if t == "TIMESTAMP WITH TIME ZONE" {
			sent.instants = append(sent.instants, name)
		}
	}
	return st, sent, err
}

// bind gives the statement's parameters their values. An instant may be yesterday or 7d.
func (p *prepared) bind(opts Options) error {
	for i, param := range p.Parameters {
		value, ok := opts.Params[param.Name]
		if !ok {
			return fmt.Errorf("%w: $%s has no value; give %s %s=VALUE", ErrParams, param.Name, opts.command("--param"), param.Name)
		}
		if slices.Contains(p.text.instants, param.Name) {
			if instant, err := readInstant(value, time.Now(), opts.Location); err == nil {
				value = instant
			}
		}
		if err := p.Bind(i, value); err != nil {
			return err
		}
	}
	return nil
}

// wrap makes a statement with rows the subquery of one that casts its columns.
func wrap(text rewritten, columns []column, f Format) rewritten {
	names, casts := make([]string, len(columns)), make([]string, len(columns))
	for i := range columns {
		names[i] = fmt.Sprintf("c%d", i)
		casts[i] = columns[i].cast(names[i], f)
	}
	ahead := fmt.Sprintf("SELECT %s FROM (", strings.Join(casts, ", "))
	text.text = fmt.Sprintf("%s%s\n) AS result(%s)", ahead, text.text, strings.Join(names, ", "))
	text.ahead += len(ahead)
	return text
}
