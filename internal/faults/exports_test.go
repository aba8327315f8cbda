package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// exports fails the test where an export does not have these events, as read by implementations
// that share no code with the program.
func (w *world) exports(want map[string]map[string]any) {
	w.Helper()
	path := func(name string) string {
		at := filepath.Join(w.Folder, name)
		w.Kept = append(w.Kept, at)
		return at
	}
	read := map[string]func(text []byte) []map[string]any{
		"--jsonl":   w.decoded,
		"--csv":     w.fromCSV,
		"--parquet": w.fromParquet,
	}
	for _, format := range slices.Sorted(maps.Keys(read)) {
		file := path("export" + strings.TrimLeft(format, "-"))
		e := w.run(command{Args: []string{"export", format, file}})
		w.endsWith(e, 0)
		text, err := os.ReadFile(file)
		if err != nil {
			w.Fatal(err)
		}
		got := map[string]map[string]any{}
		for _, row := range read[format](text) {
			got[fmt.Sprint(row["id"])] = row
		}
		if len(got) != len(want) {
			w.Errorf("%s: %d events, want %d", format, len(got), len(want))
		}
		for id, event := range want {
			for column := range event {
				if a, b := textOf(got[id], column), textOf(event, column); a != b {
					w.Errorf("%s: %s of %s is %.200q, want %.200q", format, column, id, a, b)
				}
			}
		}
	}
}

// textOf returns a column as text, an instant without trailing zeros.
func textOf(event map[string]any, column string) string {
	switch value := columnOf(event, column).(type) {
	case nil:
		return "NULL"
	case float64:
		return fmt.Sprint(int64(value))
	default:
		return fmt.Sprint(value)
	}
}

// fromCSV reads CSV by RFC 4180: a quoted field is a text, even if empty. (encoding/csv changes
// line ends.)
func (w *world) fromCSV(text []byte) (rows []map[string]any) {
	w.Helper()
	var names []string
	row, field := map[string]any{}, 0
	for rest := string(text); rest != ""; {
		var value any
		if strings.HasPrefix(rest, `"`) {
			end := 1
			for ; rest[end] != '"' || rest[end+1] == '"'; end++ {
				if rest[end] == '"' {
					end++
				}
			}
			value, rest = strings.ReplaceAll(rest[1:end], `""`, `"`), rest[end+1:]
		} else {
			end := strings.IndexAny(rest, ",\n")
			if end > 0 {
				value = rest[:end]
			}
			rest = rest[end:]
		}
		if len(rows) == 0 {
			names = append(names, fmt.Sprint(value))
		}
		row[names[field]] = value
		if field++; rest[0] == '\n' {
			rows, row, field = append(rows, row), map[string]any{}, 0
		}
		rest = rest[1:]
	}
	return rows[1:]
}

func (w *world) fromParquet(text []byte) (rows []map[string]any) {
	w.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		w.Fatal(err)
	}
	columns := file.Schema().Columns()
	for _, group := range file.RowGroups() {
		reader := group.Rows()
		buffer := make([]parquet.Row, 100)
		for {
			n, err := reader.ReadRows(buffer)
			for _, values := range buffer[:n] {
				row := map[string]any{}
				for _, v := range values {
					name := columns[v.Column()][0]
					switch {
					case v.IsNull():
					case name == "timestamp":
						row[name] = time.UnixMicro(v.Int64()).UTC().Format("2006-01-02T15:04:05.999999Z")
					case name == "batch":
						row[name] = fmt.Sprint(v.Int64())
					default:
						row[name] = string(v.ByteArray())
					}
				}
				rows = append(rows, row)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				w.Fatal(err)
			}
		}
		if err := reader.Close(); err != nil {
			w.Fatal(err)
		}
	}
	return rows
}
