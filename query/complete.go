package query

import (
	"context"
	"datasync/internal/store"
	"datasync/internal/term"
	"slices"
	"strings"
	"unicode"
)

// longestCompletion is how many bytes a word may have that is offered.
const longestCompletion = 256

// Complete returns what the last word of the text could become, by what DuckDB's grammar
// and the file's tables and columns allow, and where in the text that word begins. Each
// begins with the word as it is typed. A name is one that can stand there: one that needs
// quotes is offered, with the quote that ends it, where a quote was typed before it.
func Complete(ctx context.Context, session *store.Session, text string) (words []string, begin int, err error) {
	suggestions, err := Texts(ctx, session, "SELECT suggestion FROM sql_auto_complete($text) ORDER BY suggestion_score", map[string]string{"text": text})
	if err != nil {
		return nil, 0, err
	}
	// Keywords of the other kinds are names without quotes, too.
	reserved, err := Texts(ctx, session, "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')", nil)
	if err != nil {
		return nil, 0, err
	}
	begin, inQuotes := lastWord(text)
	typed := text[begin:]
	for _, suggestion := range suggestions {
		word, ok := completion(suggestion, inQuotes, reserved)
		if !ok || len(word) > longestCompletion || term.Visible(word) != word {
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

// completion returns how a suggestion of DuckDB's is written, behind a quote or without one,
// and false where it cannot be, as one of the reserved words without. DuckDB puts quotes around more names than need them.
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

// isPlain reports whether a text is a name that needs no quotes, unless it is a keyword.
func isPlain(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// lastWord returns where the last word of the text begins, and whether that is behind a quote
// that is still open.
func lastWord(text string) (begin int, inQuotes bool) {
	begin = len(text) - nameEnd(text)
	lex(text, func(p part, from, _ int) {
		if p == open && text[from] == '"' {
			begin, inQuotes = from+1, true
		}
	})
	return begin, inQuotes
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
