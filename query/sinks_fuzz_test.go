package query

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"datasync/internal/duck"
	"datasync/internal/term"
)

// written returns the output of a format for a column of that name with one value.
func written(t *testing.T, opts Options, name, text string, ok bool) string {
	t.Helper()
	var b bytes.Buffer
	columns := []column{{name: name, typeName: "VARCHAR"}, {name: "n", typeName: "BIGINT", kind: kindNumber}, {name: "j", typeName: "JSON", kind: kindJSON}}
	out, err := newSink(&b, columns, duck.Select, &opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.row([]cell{{text, ok}, {"-1", true}, {text, ok}}); err != nil {
		t.Fatal(err)
	}
	if err := out.end(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// FuzzFormats: no format sends control characters of names or values to a terminal, and formats
// that are read again return the same values.
func FuzzFormats(f *testing.F) {
	f.Add("type", "=cmd()", true, true, uint8(40))
	f.Fuzz(func(t *testing.T, name, text string, ok, formulaSafe bool, width uint8) {
		for _, format := range []Format{Table, Box, Line, CSV, TSV, JSON, JSONLines, Markdown, HTML} {
			opts := Options{Format: format, Terminal: true, FormulaSafe: formulaSafe, Width: int(width)}
			got := written(t, opts, name, text, ok)
			if !utf8.ValidString(got) {
				t.Fatalf("%s is no UTF-8: %q", format, got)
			}
			for _, r := range got {
				if r != '\n' && r != '\u200d' && (format != TSV || r != '\t') && unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
					t.Fatalf("%s sends the terminal %q in %q", format, r, got)
				}
			}
			opts.Terminal = false
			got = written(t, opts, name, text, ok)
			switch format {
			case CSV, TSV:
				checkDelimited(t, got, map[Format]rune{CSV: ',', TSV: '\t'}[format], formulaSafe, name, text, ok)
			case JSON, JSONLines:
				checkJSON(t, got, format, name, text, ok)
			case Markdown:
				if n := strings.Count(strings.ReplaceAll(got, `\|`, ""), "|"); strings.Count(got, "\n") != 3 || n != 3*4 {
					t.Errorf("Markdown of other cells: %q", got)
				}
			case HTML:
				checkHTML(t, got, name, text, ok)
			}
		}
	})
}

// checkDelimited reads the output with encoding/csv.
func checkDelimited(t *testing.T, got string, delimiter rune, formulaSafe bool, name, text string, ok bool) {
	t.Helper()
	r := csv.NewReader(strings.NewReader(got))
	r.Comma = delimiter
	records, err := r.ReadAll()
	if err != nil || len(records) != 2 {
		t.Fatalf("%v, %d records in %q", err, len(records), got)
	}
	if !ok {
		text = ""
	}
	for i, want := range []string{name, text} {
		field, want := records[i][0], strings.ReplaceAll(want, "\r\n", "\n") // as that reader does
		guarded := formulaSafe && strings.IndexAny(want, "=+-@\t\r\n＝＋－＠") == 0
		if formulaSafe && field != "" && strings.IndexAny(field, "=+-@\t\r\n＝＋－＠") == 0 {
			t.Errorf("a spreadsheet would compute %q", field)
		}
		if guarded {
			field = strings.TrimPrefix(field, "'")
		}
		if field != want {
			t.Errorf("%q became %q in %q", want, field, got)
		}
	}
	if records[1][1] != "-1" {
		t.Errorf("the number became %q", records[1][1])
	}
}

// checkJSON reads the output with encoding/json.
func checkJSON(t *testing.T, got string, format Format, name, text string, ok bool) {
	t.Helper()
	if format == JSON {
		got = strings.TrimSuffix(strings.TrimPrefix(got, "[\n"), "\n]\n")
	}
	if strings.ContainsAny(strings.TrimSuffix(got, "\n"), "\r\n") {
		t.Errorf("a row of several lines: %q", got)
	}
	var row map[string]json.RawMessage
	if err := json.Unmarshal([]byte(got), &row); err != nil {
		t.Fatalf("%v: %q", err, got)
	}
	if name == "n" || name == "j" {
		return // another column is called otherwise
	}
	var value *string
	name, text = string([]rune(name)), string([]rune(text)) // as encoding/json reads invalid UTF-8
	if err := json.Unmarshal(row[name], &value); err != nil || ok != (value != nil) || ok && *value != text {
		t.Errorf("%q became %s: %v", text, row[name], err)
	}
}

// checkHTML reads the cells between the tags.
func checkHTML(t *testing.T, got, name, text string, ok bool) {
	t.Helper()
	cells := htmlCell.FindAllStringSubmatch(got, -1)
	want := cell{text, ok}.shown()
	if len(cells) != 6 || strings.Count(got, "<") != strings.Count(got, ">") || strings.Count(got, "<") != 2*(1+2+2+6) {
		t.Fatalf("%d cells in %q", len(cells), got)
	}
	for i, want := range map[int]string{0: term.Visible(name), 3: want, 5: want} {
		if read := html.UnescapeString(cells[i][1]); read != want {
			t.Errorf("%q became %q", want, read)
		}
	}
}

var htmlCell = regexp.MustCompile(`<t[hd][^>]*>([^<]*)</t[hd]>`)
