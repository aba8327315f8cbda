package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode/utf8"

	"datasync/internal/chart"
)

//go:embed page.gohtml section.gohtml page.css
var files embed.FS

var templates = template.Must(template.ParseFS(files, "page.gohtml", "section.gohtml"))

// Styles returns the stylesheet of a page with charts. Nothing surrounds it: validators hash a style without the space
// around it.
func Styles() string {
	css, err := files.ReadFile("page.css")
	if err != nil {
		panic(err) // it is embedded
	}
	return strings.TrimSpace(chart.Styles() + string(css))
}

// Write writes the page. The content security policy in it allows its own stylesheet and nothing else.
func Write(w io.Writer, r *Report) error {
	page, err := r.render()
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	_, err = w.Write(page)
	return err
}

// render returns the page, with tables that are short enough for it.
func (r *Report) render() ([]byte, error) {
	styles := Styles()
	hash := sha256.Sum256([]byte(styles))
	sections := r.sections()
	page := pageView{
		Policy:     "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; form-action 'none'",
		Styles:     template.CSS(styles),
		Title:      r.title(),
		Badge:      r.badge(),
		Subtitle:   r.subtitle(),
		Comparison: r.comparison(),
		Findings:   r.findings(),
		Facts:      r.facts(),
		Whole:      r.wholeFile(),
		Batch:      r.Trust.Batch,
	}
	if r.Figures.Counts.Events() > 0 {
		for _, k := range r.keyFigures() {
			page.KeyFigures = append(page.KeyFigures, keyView{k, template.HTML(k.Spark.HTML())})
		}
	}
	for cells := maxCells; ; cells /= 2 {
		page.Sections = nil
		for i := range sections {
			page.Sections = append(page.Sections, newSectionView(&sections[i], cells))
		}
		var b bytes.Buffer
		err := templates.ExecuteTemplate(&b, "page.gohtml", page)
		switch {
		case err != nil || b.Len() <= MaxBytes:
			return b.Bytes(), err
		case cells == 0:
			return nil, fmt.Errorf("the page has %d bytes, more than %d", b.Len(), MaxBytes)
		}
	}
}

// pageView is what the template of the page shows.
type pageView struct {
	Policy     string
	Styles     template.CSS
	Title      string
	Badge      Badge
	Subtitle   string
	Comparison string
	Findings   []Finding
	KeyFigures []keyView
	Facts      []Fact
	Sections   []sectionView
	// Whole says that the trust strip is about more than the period; "" if it is not.
	Whole string
	Batch int64
}

// keyView is a key figure with its drawing as HTML. The chart package escapes what it writes.
type keyView struct {
	KeyFigure
	Spark template.HTML
}

// Length is a class for a value that is too long for the size of the others: a key figure has a sixth of the page.
func (k keyView) Length() string {
	switch n := utf8.RuneCountInString(k.Value); {
	case n > 12:
		return " longer"
	case n > 9:
		return " long"
	}
	return ""
}

// sectionView is a section as its template shows it.
type sectionView struct {
	*Section
	Figures, Pair []figureView
}

type figureView struct {
	Title string
	SVG   template.HTML
	Table *tableView
}

// tableView is a table of at most maxCells cells.
type tableView struct {
	chart.Table
	// Count says how many rows the table has.
	Count string
	// Small says that it has few columns, Time that its rows are in order of time.
	Small, Time bool
	// Body are the rows as HTML: a template takes several times as long for so many cells, which a live page draws
	// again and again.
	Body template.HTML
}

const (
	// maxCells is the number of cells of a table that a page shows at most, and maxCell that of the characters
	// of a cell.
	maxCells = 2400
	maxCell  = 500
	// smallTable is the number of columns up to which a table does not take the whole width.
	smallTable = 4
)

func newSectionView(s *Section, cells int) sectionView {
	return sectionView{Section: s, Figures: figureViews(s.Figures, cells), Pair: figureViews(s.Pair, cells)}
}

func figureViews(figures []Figure, cells int) (views []figureView) {
	for _, f := range figures {
		v := figureView{Title: f.Title, SVG: template.HTML(f.Drawing.HTML())}
		if f.Table != nil && len(f.Table.Rows) > 0 {
			v.Table = newTableView(&f, cells)
		}
		views = append(views, v)
	}
	return views
}

func newTableView(f *Figure, cells int) *tableView {
	t := *f.Table
	v := &tableView{Table: t, Count: chart.Plural(int64(len(t.Rows)), "row"), Small: len(t.Columns) <= smallTable, Time: f.ByTime}
	if most := cells / max(len(t.Columns), 1); len(t.Rows) > most {
		rows := chart.Plural(int64(len(t.Rows)), "row")
		v.Count, v.Rows = fmt.Sprintf("%s of %s", chart.Count(int64(most)), rows), t.Rows[:most]
		if f.ByTime {
			v.Count, v.Rows = "the last "+v.Count, t.Rows[len(t.Rows)-most:]
		}
		v.Note = strings.TrimPrefix(t.Note+"; this page has no room for all rows", "; ")
	}
	v.Body = tableBody(t.Columns, v.Rows)
	return v
}

// tableBody returns the rows of a table as HTML. The first cell of a row names it.
func tableBody(columns []chart.Column, rows [][]string) template.HTML {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString("<tr>")
		for i, cell := range row {
			if len(cell) > maxCell { // bytes are at least as many as characters
				if runes := []rune(cell); len(runes) > maxCell {
					cell = string(runes[:maxCell]) + "…"
				}
			}
			start, end := "<td>", "</td>"
			switch {
			case i == 0:
				start, end = `<th scope="row">`, "</th>"
			case columns[i].Number:
				start = `<td class="n">`
			}
			b.WriteString(start)
			template.HTMLEscape(&b, []byte(cell))
			b.WriteString(end)
		}
		b.WriteString("</tr>\n")
	}
	return template.HTML(b.String())
}

// HTML returns the section as a page embeds it.
func (s *Section) HTML() (string, error) {
	var b bytes.Buffer
	err := templates.ExecuteTemplate(&b, "section", newSectionView(s, maxCells))
	return b.String(), err
}
