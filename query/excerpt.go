package query

import (
	"errors"
	"fmt"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/term"
)

// StatementError is an error of a statement, with its position in the SQL.
type StatementError struct {
	// Err is DuckDB's message, on one line.
	Err error

	line   int    // the number of the line in the SQL, from 1
	before string // the part of the line before the error, from the statement's start on
	after  string // the rest of the line, up to the statement's end
}

// Error returns the error without the excerpt.
func (e *StatementError) Error() string { return e.Err.Error() }

// Unwrap returns DuckDB's error.
func (e *StatementError) Unwrap() error { return e.Err }

// Excerpt returns two lines for an error with a position: "LINE 1: " with the line of the SQL, and a
// caret below the position. They are at most width columns wide (0 means 80), and safe for a terminal.
// It returns "" for other errors.
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
	// A third of the line is for the text after the error, unless that is shorter.
	room := max(width-len(head), leastExcerpt)
	before = term.ShortenFront(before, room-max(1, min(term.Width(after), room/3)))
	after = term.Shorten(after, room-term.Width(before))
	return head + before + after + "\n" + strings.Repeat(" ", len(head)+term.Width(before)) + "^\n"
}

const (
	excerptWidth = 80 // columns, where the terminal's width is not known
	leastExcerpt = 12 // columns after "LINE 1: ", for narrower terminals
)

// visibleLine returns a part of a line of SQL as a terminal shows it. A tab becomes spaces, so that
// the caret is below its column.
func visibleLine(s string) string { return term.Visible(strings.ReplaceAll(s, "\t", "    ")) }

// located returns the error with its position in the SQL, if it has one. origin maps a byte offset in
// DuckDB's text to one in the statement, or to -1.
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

// names reports whether an error of DuckDB's parser is about the text: the error quotes the text
// near it. In FROM query('...') it may be about another text.
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

// Locate returns the error of a statement that DuckDB got unchanged, with its position in the SQL, if it has
// one. err may be nil.
func Locate(err error, sql string) error {
	return statement{text: sql, all: sql}.located(err, func(at int) int { return at })
}
