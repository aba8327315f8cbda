package query

import (
	"context"
	"slices"
	"strings"

	"datasync/internal/store"
)

// Complete returns what the last word of the text could become, by what DuckDB's grammar
// and the file's tables and columns allow, and where in the text that word begins. Each
// begins with the word as it is typed.
func Complete(ctx context.Context, session *store.Session, text string) (words []string, begin int, err error) {
	const ask = "SELECT suggestion, suggestion_start::VARCHAR FROM sql_auto_complete($text) ORDER BY suggestion_score"
	rows, err := texts(ctx, session, ask, map[string]string{"text": text})
	if err != nil {
		return nil, 0, err
	}
	begin = len(text) - nameEnd(text)
	typed := text[begin:]
	for _, row := range rows {
		word := strings.Trim(row[0], `"`)
		if Visible(word) != word {
			continue // it would do more than be seen
		}
		if len(word) < len(typed) || !strings.EqualFold(word[:len(typed)], typed) {
			continue
		}
		word = typed + word[len(typed):]
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words, begin, nil
}

// nameEnd returns how many bytes at the end of the text are a name.
func nameEnd(text string) int {
	n := 0
	for n < len(text) && inName(text[len(text)-1-n]) {
		n++
	}
	return n
}

// Texts runs a statement whose first column is text and returns that.
func Texts(ctx context.Context, session *store.Session, text string, params map[string]string) ([]string, error) {
	rows, err := texts(ctx, session, text, params)
	first := make([]string, len(rows))
	for i, row := range rows {
		first[i] = row[0]
	}
	return first, err
}

// texts runs a statement and returns its rows.
func texts(ctx context.Context, session *store.Session, text string, params map[string]string) (rows [][]string, err error) {
	collect := &collector{}
	st, columns, cast, err := prepare(ctx, session, text, Options{Params: params})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	result, err := st.Run(ctx)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	_, _, err = copyRows(result, columns, cast, collect, &Options{})
	return collect.rows, err
}

// collector is a sink that keeps what it is given.
type collector struct{ rows [][]string }

func (c *collector) row(cells []cell) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = strings.Clone(cell.text)
	}
	c.rows = append(c.rows, row)
	return nil
}

func (*collector) end() error { return nil }
