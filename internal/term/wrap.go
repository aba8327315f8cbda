package term

import (
	"strings"

	"golang.org/x/term"
)

// Wrap breaks a text between words to fit columns, and indents the lines after the first. A text in parentheses
// at its end stays together, as it may be a command. A word that is wider than a line is not cut. Columns of 0
// mean no limit. Colours of a Style take no columns.
func Wrap(text string, columns, indent int) string {
	indent = min(indent, columns/5)
	if columns <= 0 || columnsOf(text) <= columns {
		return text
	}
	var b strings.Builder
	at, begins := 0, true
	for _, word := range words(text, columns-indent) {
		width := columnsOf(word)
		if !begins && at+width > columns && strings.TrimSpace(word) != "" {
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at, word = indent, strings.TrimLeft(word, " ")
			width = columnsOf(word)
		}
		b.WriteString(word)
		at, begins = at+width, begins && strings.TrimSpace(word) == ""
	}
	return b.String()
}

// WrapList is Wrap without indent for lists such as "a=1,2 b=3": it also breaks a word that is wider than a
// line after its commas.
func WrapList(text string, columns int) string {
	if columns <= 0 || columnsOf(text) <= columns {
		return text
	}
	var b strings.Builder
	at := 0
	add := func(space, part string) {
		width := columnsOf(part)
		switch {
		case at > 0 && at+len(space)+width > columns:
			b.WriteString("\n" + part)
			at = width
		case at > 0:
			b.WriteString(space + part)
			at += len(space) + width
		default:
			b.WriteString(part)
			at = width
		}
	}
	for _, word := range strings.Fields(text) {
		if columnsOf(word) <= columns {
			add(" ", word)
			continue
		}
		space := " "
		for part := range strings.SplitAfterSeq(word, ",") {
			add(space, part)
			space = ""
		}
	}
	return b.String()
}

// columnsOf returns how many columns a text takes on a terminal.
func columnsOf(text string) int {
	width := 0
	for text != "" {
		before, after, found := strings.Cut(text, "\x1b[")
		width += Width(before)
		if text = after; found {
			_, text, _ = strings.Cut(after, "m")
		}
	}
	return width
}

// words splits a text before spaces: each word has the spaces before it. Parentheses at the end are one word if they
// fit these columns.
func words(text string, columns int) (words []string) {
	end := len(text)
	if open := strings.LastIndex(text, " ("); open > 0 && strings.HasSuffix(text, ")") && columnsOf(text[open+1:]) <= columns {
		words, end = []string{text[open:]}, open
	}
	text = text[:end]
	var first []string
	for text != "" {
		spaces := len(text) - len(strings.TrimLeft(text, " "))
		n := strings.IndexByte(text[spaces:], ' ')
		if n < 0 {
			n = len(text) - spaces
		}
		first, text = append(first, text[:spaces+n]), text[spaces+n:]
	}
	return append(first, words...)
}

// ErrorWidth returns the columns of the terminal on stderr; 0 means no limit.
func (t IO) ErrorWidth() int { return widthOf(t.Stderr) }

// widthOf returns the columns of a stream; 0 if it is not a terminal or does not know them.
func widthOf(stream any) int {
	f, ok := terminal(stream)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return max(0, columns)
}
