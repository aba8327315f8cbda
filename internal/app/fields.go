package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"datasync/internal/term"
)

// fields are lines of a name and a value, for a person.
type fields struct{ strings.Builder }

func (f *fields) line(name, format string, args ...any) {
	_, _ = fmt.Fprintf(f, "%-12s%s\n", name, term.Visible(fmt.Sprintf(format, args...)))
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
