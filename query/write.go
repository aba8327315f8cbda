package query

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
)

// csvSink writes CSV by RFC 4180, but for its line ends, which are "\n".
type csvSink struct {
	w      *csv.Writer
	to     io.Writer // beneath w
	fields []string
}

func newCSVSink(w io.Writer, columns []column) (*csvSink, error) {
	s := &csvSink{csv.NewWriter(w), w, make([]string, len(columns))}
	for i, c := range columns {
		s.fields[i] = c.name
	}
	return s, s.write()
}

func (s *csvSink) row(cells []*string) error {
	for i, cell := range cells {
		s.fields[i] = ""
		if cell != nil {
			s.fields[i] = *cell
		}
	}
	return s.write()
}

func (s *csvSink) write() error {
	if len(s.fields) == 1 && s.fields[0] == "" {
		// An empty line would be no record for most readers.
		s.w.Flush()
		if _, err := io.WriteString(s.to, "\"\"\n"); err != nil {
			return err
		}
		return s.w.Error()
	}
	return s.w.Write(s.fields)
}

func (s *csvSink) end() error {
	s.w.Flush()
	return s.w.Error()
}

// jsonSink writes an array of objects. Numbers and JSON stand as they are,
// everything else is a string; NaN and the infinities, which JSON has no numbers
// for, are strings too.
type jsonSink struct {
	w       *bufio.Writer
	columns []column
	names   [][]byte
	rows    int
}

func newJSONSink(w io.Writer, columns []column) (*jsonSink, error) {
	s := &jsonSink{w: bufio.NewWriterSize(w, 64<<10), columns: columns}
	taken := map[string]bool{}
	for _, c := range columns {
		name := c.name
		for n := 1; taken[name]; n++ {
			name = fmt.Sprintf("%s_%d", c.name, n)
		}
		taken[name] = true
		s.names = append(s.names, quoted(name))
	}
	return s, s.w.WriteByte('[')
}

func (s *jsonSink) row(cells []*string) error {
	separator := ",\n{"
	if s.rows == 0 {
		separator = "\n{"
	}
	s.rows++
	_, err := s.w.WriteString(separator)
	for i, cell := range cells {
		if i > 0 {
			_ = s.w.WriteByte(',')
		}
		_, _ = s.w.Write(s.names[i])
		_ = s.w.WriteByte(':')
		_, err = s.w.Write(s.value(i, cell))
	}
	_ = s.w.WriteByte('}')
	return err // a bufio.Writer keeps its first error
}

func (s *jsonSink) value(i int, cell *string) []byte {
	if cell == nil {
		return []byte("null")
	}
	switch s.columns[i].kind {
	case kindNumber, kindBoolean, kindJSON, kindNested:
		if text := []byte(*cell); json.Valid(text) {
			return text
		}
	}
	return quoted(*cell)
}

func (s *jsonSink) end() error {
	_, _ = s.w.WriteString("\n]\n")
	return s.w.Flush()
}

// quoted writes text as a JSON string, < and & as they are.
func quoted(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // cannot fail for a string
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
