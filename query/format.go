package query

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Format is the name of a format of results.
type Format string

// The formats. All but the first two are written row by row, in constant memory.
const (
	Table     Format = "table"    // for people: the first and the last rows, with types
	Box       Format = "box"      // every row in a box
	CSV       Format = "csv"      // RFC 4180 except for line ends; NULL is empty, an empty text ""
	TSV       Format = "tsv"      // the same with tabs
	JSON      Format = "json"     // an array of objects, columns in their order
	JSONLines Format = "jsonl"    // an object per line
	Markdown  Format = "markdown" // a table in GitHub's dialect
	Line      Format = "line"     // a line per value
	HTML      Format = "html"     // a table element
)

var formats = []Format{Table, Box, CSV, TSV, JSON, JSONLines, Markdown, Line, HTML}

// Formats lists all formats, with commas.
func Formats() string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(formats, f) {
		return f, nil
	}
	return "", fmt.Errorf("format %q is none of %s", name, Formats())
}

// endings are the formats of files by the ending of their names.
var endings = map[string]Format{
	".csv": CSV, ".tsv": TSV, ".json": JSON, ".jsonl": JSONLines, ".ndjson": JSONLines, ".md": Markdown, ".markdown": Markdown,
	".html": HTML, ".htm": HTML, ".txt": Table,
}

// FormatOfFile returns the format for the ending of a file's name.
func FormatOfFile(name string) (Format, error) {
	if f, ok := endings[strings.ToLower(filepath.Ext(name))]; ok {
		return f, nil
	}
	return "", fmt.Errorf("the name %q does not tell the format; give one of %s", name, Formats())
}
