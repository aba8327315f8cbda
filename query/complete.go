package query

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"datasync/internal/duck"
	"datasync/internal/inspect"
	"datasync/internal/term"
)

// longestCompletion is the maximum length of a completion in bytes.
const longestCompletion = 256

// Complete returns completions of the last word of a text, and where in the text the word begins;
// after is the text after the cursor. The completions begin with the word as typed: columns of the
// statement's tables and aliases first, then DuckDB's suggestions, functions last. A name that needs
// quotes is only offered after an opening quote, with the closing one.
func Complete(ctx context.Context, session *inspect.Session, text, after string) (words []string, begin int, err error) {
	// Keywords of the other categories can be names without quotes.
	reserved, err := Texts(ctx, session, "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')", nil)
	if err != nil {
		return nil, 0, err
	}
	begin, inQuotes := lastWord(text)
	open := begin
	if inQuotes {
		open-- // the quote
	}
	c := &candidates{scope: parseScope(text, open, after), session: session}
	suggestions, err := c.list(ctx, text, begin)
	if err != nil {
		return nil, 0, err
	}
	typed := text[begin:]
	for _, suggestion := range suggestions {
		word, ok := completion(suggestion, reserved)
		if inQuotes {
			word, ok = quotedCompletion(suggestion)
		}
		if !ok || len(word) > longestCompletion || term.Visible(word) != word {
			continue // a terminal would obey some of its characters
		}
		if len(word) < len(typed) || !strings.EqualFold(word[:len(typed)], typed) {
			continue
		}
		word = typed + word[len(typed):]
		// A keyword ends with a space, and may be a name too.
		if !slices.ContainsFunc(words, func(w string) bool { return strings.TrimRight(w, " ") == strings.TrimRight(word, " ") }) {
			words = append(words, word)
		}
	}
	return words, begin, nil
}

// completion returns how to write a suggestion of DuckDB's without quotes, and false if it needs
// them. DuckDB puts quotes around more names than need them.
func completion(suggestion string, reserved []string) (string, bool) {
	name, quoted := unquote(suggestion)
	return name, !quoted || isPlain(name) && !slices.Contains(reserved, strings.ToLower(name))
}

// quotedCompletion returns how to write a suggestion of DuckDB's after an opening quote, and false
// if it is not a name.
func quotedCompletion(suggestion string) (string, bool) {
	name, quoted := unquote(suggestion)
	return strings.ReplaceAll(name, `"`, `""`) + `"`, quoted || isPlain(name)
}

// unquote returns a suggestion without its quotes, and whether it had any.
func unquote(suggestion string) (name string, quoted bool) {
	name, quoted = strings.CutPrefix(suggestion, `"`)
	if quoted {
		name = strings.ReplaceAll(strings.TrimSuffix(name, `"`), `""`, `"`)
	}
	return name, quoted
}

// isPlain reports whether a name needs no quotes, unless it is a keyword.
func isPlain(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// lastWord returns where the last word of a text begins, and whether it follows a quote that is
// still open.
func lastWord(text string) (begin int, inQuotes bool) {
	begin = len(text) - nameEnd(text)
	lex(text, func(t token, from, _ int) {
		if t == open && text[from] == '"' {
			begin, inQuotes = from+1, true
		}
	})
	return begin, inQuotes
}

// nameEnd returns how many bytes at the end of a text are of a name.
func nameEnd(text string) int {
	n := 0
	for n < len(text) && inName(text[len(text)-1-n]) {
		n++
	}
	return n
}

// Texts runs a statement whose first column is a VARCHAR and returns that, "" for NULL.
func Texts(ctx context.Context, session *inspect.Session, text string, params map[string]string) (texts []string, err error) {
	err = session.Rows(ctx, text, params, func(r *duck.Result, row int) {
		value, _ := r.Text(0, row)
		texts = append(texts, strings.Clone(value))
	})
	return texts, err
}
