package human

import (
	"strconv"
	"strings"
	"unicode"
)

// Error is a text that is not a value of its kind. Its message begins with the text, so that callers
// put the name of the option or parameter before it: "--lookback " + "5 has no unit; write 5m or 5h".
type Error struct {
	// Text is the text as given.
	Text string
	// Problem says how it is wrong, such as "has no unit".
	Problem string
	// Write has valid texts, the most likely first. Likely says that the text suggests them;
	// otherwise they are examples, which a caller may replace.
	Write  []string
	Likely bool
}

// Error returns the message in one line, without the name of the option.
func (e *Error) Error() string {
	return Shown(e.Text) + " " + e.Problem + "; write " + alternatives(e.Write)
}

// Shown returns a text as messages show it: unchanged, or quoted if it is empty or has white space,
// quotes or unprintable characters.
func Shown(text string) string {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '"' || r == unicode.ReplacementChar
	}) {
		return strconv.Quote(text)
	}
	return text
}

// alternatives lists texts as "a, b or c".
func alternatives(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}
