package term

import (
	"errors"
	"io"
	"strings"
)

// Color says when output has colours. Its zero value, and nil, mean "auto". It implements flag.Value.
type Color struct{ when string }

// Set takes "auto", "always" or "never", in any case.
func (c *Color) Set(when string) error {
	switch when = strings.ToLower(when); when {
	case "auto", "always", "never":
		c.when = when
		return nil
	}
	return errors.New("want auto, always or never")
}

// String returns the value of Set, or "auto" before.
func (c *Color) String() string {
	if c == nil || c.when == "" {
		return "auto"
	}
	return c.when
}

// Style returns how text looks on a stream. By default it has colours if the stream is a terminal that knows
// escape sequences and NO_COLOR (https://no-color.org) is unset or empty.
func (t IO) Style(stream io.Writer) Style {
	switch t.Color.String() {
	case "always":
		return Style{true}
	case "never":
		return Style{}
	}
	return Style{t.obeys(stream) && t.Getenv("NO_COLOR") == ""}
}

// obeys reports whether a stream is a terminal that interprets escape sequences.
func (t IO) obeys(stream io.Writer) bool {
	_, ok := terminal(stream)
	kind := t.Getenv("TERM")
	return ok && kind != "" && kind != "dumb"
}

// Style colours text by its meaning, or leaves it unchanged. The text must mean the same without colour, and
// must be safe for a terminal (Visible).
type Style struct{ on bool }

// Good is for complete or sound data: green.
func (s Style) Good(text string) string { return s.paint("32", text) }

// Caution is for waits and warnings: amber.
func (s Style) Caution(text string) string { return s.paint("33", text) }

// Bad is for errors and missing data: red.
func (s Style) Bad(text string) string { return s.paint("31", text) }

// Dim is for absent values, such as NULL.
func (s Style) Dim(text string) string { return s.paint("2", text) }

func (s Style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
