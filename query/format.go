package query

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"datasync/internal/human"
)

// Format is an output format of results.
type Format string

// The formats. All but Table and Box write each row as it is read, in constant memory.
const (
	Table     Format = "table"    // head and tail of the rows, with types
	Box       Format = "box"      // every row in a box
	CSV       Format = "csv"      // RFC 4180 with \n as the line end; NULL is empty, an empty text ""
	TSV       Format = "tsv"      // the same with tabs
	JSON      Format = "json"     // one array of objects, columns in their order
	JSONLines Format = "jsonl"    // one object per line
	Markdown  Format = "markdown" // a table in GitHub's dialect
	Line      Format = "line"     // one line per value
	HTML      Format = "html"     // a table element
)

var formats = []Format{Table, Box, CSV, TSV, JSON, JSONLines, Markdown, Line, HTML}

// Formats returns the names of all formats, separated by commas.
func Formats() string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// ParseFormat returns the format of that name, in any case.
func ParseFormat(name string) (Format, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if f := Format(name); slices.Contains(formats, f) {
		return f, nil
	}
	if instead := exported(name, "out"); instead != "" {
		return "", fmt.Errorf("%w %s; use %s", errExported, name, instead)
	}
	meant := human.DidYouMean(name, strings.Split(Formats(), ", "))
	if same := sameFormat[strings.ToLower(name)]; same != "" {
		meant = fmt.Sprintf("; did you mean %s?", same)
	}
	return "", fmt.Errorf("the formats are %s%s", Formats(), meant)
}

// sameFormat maps other programs' names to our formats.
var sameFormat = map[string]Format{
	"duckbox": Table, "column": Table, "columns": Table, "ascii": Table, "text": Table, "tabs": TSV, "tab": TSV, "list": CSV, "quote": CSV, "lines": Line, "vertical": Line,
	"jsonlines": JSONLines, "ndjson": JSONLines, "md": Markdown,
}

// extensions are the formats of files by their extension.
var extensions = map[string]Format{
	".csv": CSV, ".tsv": TSV, ".tab": TSV, ".json": JSON, ".jsonl": JSONLines, ".ndjson": JSONLines, ".md": Markdown, ".markdown": Markdown,
	".html": HTML, ".htm": HTML, ".txt": Table,
}

// foreign are endings of formats that this program does not write.
var foreign = []string{".arrow", ".feather", ".avro", ".orc", ".xml", ".zip", ".bz2", ".xz", ".7z", ".tar", ".tgz", ".ods"}

// FormatOfFile returns the format of a file name's extension.
func FormatOfFile(name string) (Format, error) {
	if f, ok := extensions[strings.ToLower(filepath.Ext(name))]; ok {
		return f, nil
	}
	ending := filepath.Ext(name)
	packed := strings.EqualFold(ending, ".gz") || strings.EqualFold(ending, ".zst")
	stem := strings.TrimSuffix(name, ending)
	if packed {
		stem, ending = strings.TrimSuffix(stem, filepath.Ext(stem)), filepath.Ext(stem)+ending
	}
	if instead := exported(strings.TrimPrefix(ending, "."), stem); instead != "" {
		return "", fmt.Errorf("%w %s; use %s", errExported, ending, instead)
	}
	return "", fmt.Errorf("the ending names no format; give --format with one of %s", Formats())
}

// Fits returns an error that says what to use if the ending of a file contradicts the format. A file that
// ends in .txt, or in nothing known, may have any format. One that ends in .json may have JSON Lines,
// which many readers of JSON read.
func (f Format) Fits(name string) error {
	ending := filepath.Ext(name)
	renamed := strings.TrimSuffix(strings.TrimSuffix(name, ending), f.ending()) + f.ending()
	of, err := FormatOfFile(name)
	switch {
	case errors.Is(err, errExported):
		return fmt.Errorf("%w, or name it %s", err, renamed)
	case slices.Contains(foreign, strings.ToLower(ending)):
		return fmt.Errorf("query writes no %s; name it %s", ending, renamed)
	case err != nil, of == f, of == Table, of == JSON && f == JSONLines:
		return nil
	}
	return fmt.Errorf("the ending %s means %s, not %s; use --format %s, or name it %s", ending, of, f, of, renamed)
}

// ending returns the usual ending of a file of the format.
func (f Format) ending() string {
	switch f {
	case Table, Box, Line:
		return ".txt"
	case Markdown:
		return ".md"
	}
	return "." + string(f)
}

// errExported says that only export writes a format.
var errExported = errors.New("query does not write")

// exported returns the command that writes a format, by its file name ending, if only export writes
// it; otherwise "".
func exported(format, stem string) string {
	option := map[string]string{
		"parquet": "parquet", "pq": "parquet", "xlsx": "excel", "xls": "excel", "excel": "excel",
		"csv.gz": "csv", "csv.zst": "csv", "jsonl.gz": "jsonl", "jsonl.zst": "jsonl", "ndjson.gz": "jsonl", "ndjson.zst": "jsonl",
	}[strings.ToLower(format)]
	switch option {
	case "":
		return ""
	case "excel":
		return fmt.Sprintf("datasync export --csv %s.csv --excel --query SQL", stem)
	case "parquet":
		format = "parquet"
	}
	return fmt.Sprintf("datasync export --%s %s.%s --query SQL", option, stem, format)
}
