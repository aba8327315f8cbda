package query

import (
	"bufio"
	"datasync/internal/term"
	"fmt"
	"html"
	"io"
	"strings"
)

// markdownSink writes a table of GitHub's dialect of Markdown.
type markdownSink struct{ w *bufio.Writer }

// inMarkdown escapes the character that ends a cell.
var inMarkdown = strings.NewReplacer("|", `\|`)

func newMarkdownSink(w io.Writer, columns []column) *markdownSink {
	s := &markdownSink{bufio.NewWriterSize(w, bufferSize)}
	for _, c := range columns {
		_, _ = fmt.Fprintf(s.w, "| %s ", inMarkdown.Replace(term.Visible(c.name)))
	}
	_, _ = s.w.WriteString("|\n")
	for _, c := range columns {
		rule := "| --- "
		if c.kind == kindNumber {
			rule = "| ---: "
		}
		_, _ = s.w.WriteString(rule)
	}
	_, _ = s.w.WriteString("|\n")
	return s
}

func (s *markdownSink) row(cells []cell) error {
	for _, c := range cells {
		_, _ = s.w.WriteString("| ")
		for piece := range c.pieces() {
			_, _ = s.w.WriteString(inMarkdown.Replace(piece))
		}
		_ = s.w.WriteByte(' ')
	}
	_, err := s.w.WriteString("|\n")
	return err
}

func (s *markdownSink) end() error { return s.w.Flush() }

// lineSink writes one line per value, with an empty line between rows.
type lineSink struct {
	w     *bufio.Writer
	names []string // padded to one width
	null  string   // how NULL is shown
	rows  int
}

func newLineSink(w io.Writer, columns []column, opts *Options) *lineSink {
	s := &lineSink{w: bufio.NewWriterSize(w, bufferSize), null: cell{}.shown()}
	if opts.Dim != nil {
		s.null = opts.Dim(s.null)
	}
	widest := 0
	for _, c := range columns {
		widest = max(widest, term.Width(term.Visible(c.name)))
	}
	for _, c := range columns {
		name := term.Visible(c.name)
		s.names = append(s.names, strings.Repeat(" ", widest-term.Width(name))+name)
	}
	return s
}

func (s *lineSink) row(cells []cell) error {
	if s.rows++; s.rows > 1 {
		_ = s.w.WriteByte('\n')
	}
	var err error
	for i, c := range cells {
		_, _ = s.w.WriteString(s.names[i] + " = ")
		if c.ok {
			for piece := range c.pieces() {
				_, _ = s.w.WriteString(piece)
			}
		} else {
			_, _ = s.w.WriteString(s.null)
		}
		err = s.w.WriteByte('\n')
	}
	return err
}

func (s *lineSink) end() error { return s.w.Flush() }

// htmlSink writes a table element.
type htmlSink struct {
	w       *bufio.Writer
	columns []column
}

func newHTMLSink(w io.Writer, columns []column) *htmlSink {
	s := &htmlSink{bufio.NewWriterSize(w, bufferSize), columns}
	_, _ = s.w.WriteString("<table>\n<thead>\n<tr>")
	for _, c := range columns {
		_, _ = fmt.Fprintf(s.w, "<th>%s</th>", html.EscapeString(term.Visible(c.name)))
	}
	_, _ = s.w.WriteString("</tr>\n</thead>\n<tbody>\n")
	return s
}

func (s *htmlSink) row(cells []cell) error {
	_, _ = s.w.WriteString("<tr>")
	for i, c := range cells {
		open := "<td>"
		if s.columns[i].kind == kindNumber {
			open = `<td style="text-align: right">`
		}
		_, _ = s.w.WriteString(open)
		for piece := range c.pieces() {
			_, _ = s.w.WriteString(html.EscapeString(piece))
		}
		_, _ = s.w.WriteString("</td>")
	}
	_, err := s.w.WriteString("</tr>\n")
	return err
}

func (s *htmlSink) end() error {
	_, _ = s.w.WriteString("</tbody>\n</table>\n")
	return s.w.Flush()
}
