package query

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"datasync/internal/store"
	"datasync/internal/term"
)

// longestCompletion is the longest word that is offered, in bytes.
const longestCompletion = 256

// Complete returns completions of the last word of the text, from DuckDB's grammar and the file's
// tables and columns, and the index at which that word begins. Each completion begins with the
// word as typed. A name that needs quotes is offered only after an opening quote, together with
// the closing one.
func Complete(ctx context.Context, session *store.Session, text string) (words []string, begin int, err error) {
	suggestions, err := Texts(ctx, session, "SELECT suggestion FROM sql_auto_complete($text) ORDER BY suggestion_score", map[string]string{"text": text})
	if err != nil {
		return nil, 0, err
	}
	// Keywords of the other categories can be names without quotes.
	reserved, err := Texts(ctx, session, "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')", nil)
	if err != nil {
		return nil, 0, err
	}
	begin, inQuotes := lastWord(text)
	typed := text[begin:]
	for _, suggestion := range suggestions {
		word, ok := completion(suggestion, inQuotes, reserved)
		if !ok || len(word) > longestCompletion || term.Visible(word) != word {
			continue // it has control characters
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

// completion returns a suggestion of DuckDB as it is written after an opening quote, or without
// quotes. It returns false if it cannot be written so, such as a reserved word without quotes.
// DuckDB quotes more names than need quotes.
func completion(suggestion string, inQuotes bool, reserved []string) (string, bool) {
	name, quoted := strings.CutPrefix(suggestion, `"`)
	if quoted {
		name = strings.ReplaceAll(strings.TrimSuffix(name, `"`), `""`, `"`)
	}
	switch {
	case inQuotes:
		return strings.ReplaceAll(name, `"`, `""`) + `"`, quoted || isPlain(name)
	case quoted:
		return name, isPlain(name) && !slices.Contains(reserved, strings.ToLower(name))
	}
	return name, true
}

// isPlain reports whether a text is a name that needs no quotes, or a keyword.
func isPlain(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// lastWord returns the index of the last word of the text, and whether a quote before it is open.
func lastWord(text string) (begin int, inQuotes bool) {
	begin = len(text) - nameEnd(text)
	lex(text, func(p part, from, _ int) {
		if p == open && text[from] == '"' {
			begin, inQuotes = from+1, true
		}
	})
	return begin, inQuotes
}

// nameEnd returns the number of bytes at the end of the text that form a name.
func nameEnd(text string) int {
	n := 0
	for n < len(text) && inName(text[len(text)-1-n]) {
		n++
	}
	return n
}

// Texts runs a statement whose first column is text, and returns that column.
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

// collector is a sink that keeps the rows.
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
