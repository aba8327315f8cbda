package query

import (
	"errors"
	"fmt"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/term"
)

// StatementError is an error of a statement, and where in the SQL it is.
type StatementError struct {
	// Err is what DuckDB says, on one line.
	Err error

	line   int    // the number of the line in the SQL, from 1
	before string // the part of the line before the error, from the statement's begin on
	after  string // the rest of the line, up to the statement's end
}

// Error returns the error without the excerpt.
func (e *StatementError) Error() string { return e.Err.Error() }

// Unwrap returns DuckDB's error.
func (e *StatementError) Unwrap() error { return e.Err }

// Excerpt returns, for an error that has a place in the SQL, two lines: "LINE 1: " with the line of the
// SQL, and a caret below the place. They are at most width columns wide, 0 for 80, and safe for a
// terminal. It returns "" for other errors.
func Excerpt(err error, width int) string {
	var e *StatementError
	if !errors.As(err, &e) {
		return ""
	}
	if width <= 0 {
		width = excerptWidth
	}
	head := fmt.Sprintf("LINE %d: ", e.line)
	before, after := visibleLine(e.before), visibleLine(e.after)
	// A third of the line is for what follows the error, unless it is shorter.
	room := max(width-len(head), leastExcerpt)
	before = term.ShortenFront(before, room-max(1, min(term.Width(after), room/3)))
	after = term.Shorten(after, room-term.Width(before))
	return head + before + after + "\n" + strings.Repeat(" ", len(head)+term.Width(before)) + "^\n"
}

const (
	excerptWidth = 80 // columns, where the terminal's width is not known
	leastExcerpt = 12 // columns behind "LINE 1: ", for narrower terminals
)

// visibleLine returns a part of a line of SQL as a terminal shows it. A tab becomes spaces, so that
// the caret is below its column.
func visibleLine(s string) string { return term.Visible(strings.ReplaceAll(s, "\t", "    ")) }

// located returns the error with its place in the SQL, if it has one. origin maps a byte of the text that
// DuckDB has to one of the statement's text, or to -1.
func (s statement) located(err error, origin func(int) int) error {
	var e *duck.SQLError
	if !errors.As(err, &e) || e.Position < 0 {
		return err
	}
	at := origin(e.Position)
	if at < 0 || at > len(s.text) || !names(e.Text, s.text[at:]) {
		return err
	}
	if strings.HasPrefix(s.text[at:], `"`) && strings.HasPrefix(e.Text, "Binder Error: Referenced column ") {
		quoted := *e
		quoted.Text += "; write text in single quotes"
		err = &quoted
	}
	begin := strings.LastIndexByte(s.text[:at], '\n') + 1
	end := len(s.text)
	if n := strings.IndexByte(s.text[at:], '\n'); n >= 0 {
		end = at + n
	}
	return &StatementError{
		Err: err, line: 1 + strings.Count(s.all[:s.from+at], "\n"),
		before: s.text[begin:at], after: strings.TrimRight(s.text[at:end], "\r"),
	}
}

// names reports whether an error of DuckDB's parser is about the text: it names what it is near. In
// FROM query('...') it may be about another.
func names(message, text string) bool {
	if !strings.HasPrefix(message, "Parser Error: ") {
		return true
	}
	_, near, ok := strings.Cut(message, ` at or near "`)
	if !ok {
		return !strings.HasSuffix(message, "at end of input") || strings.TrimSpace(text) == ""
	}
	return strings.HasPrefix(strings.Join(strings.Fields(text), " "), strings.TrimSuffix(near, `"`))
}

// Locate returns the error of a statement that DuckDB has as it is, or nil, with its place in the SQL, if it
// has one.
func Locate(err error, sql string) error {
	return statement{text: sql, all: sql}.located(err, func(at int) int { return at })
}
