package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"datasync/internal/term"
)

// fields are lines of a name and a value, for a person.
type fields struct {
	strings.Builder
	// width is that of the terminal; 0 means no limit.
	width int
}

// fieldMargin is the width of the names.
const fieldMargin = 12

// line writes a line, wrapped at words.
func (f *fields) line(name, format string, args ...any) {
	line := fmt.Sprintf("%-*s%s", fieldMargin, name, term.Visible(fmt.Sprintf(format, args...)))
	_, _ = fmt.Fprintln(f, term.Wrap(line, f.width, fieldMargin))
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
