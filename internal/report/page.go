package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"datasync/internal/chart"
)

//go:embed page.gohtml section.gohtml page.css
var files embed.FS

var templates = template.Must(template.ParseFS(files, "page.gohtml", "section.gohtml"))

// Styles returns the stylesheet of a page with charts.
func Styles() string {
	css, err := files.ReadFile("page.css")
	if err != nil {
		panic(err) // it is embedded
	}
	return chart.Styles() + string(css)
}

// Write writes the page. The content security policy in it allows its own stylesheet and nothing else.
func Write(w io.Writer, r *Report) error {
	styles := Styles()
	hash := sha256.Sum256([]byte(styles))
	sections := r.sections()
	page := pageView{
		Policy:     "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; form-action 'none'",
		Styles:     template.CSS(styles),
		Title:      chart.Visible(r.title()),
		Badge:      r.badge(),
		Subtitle:   r.subtitle(),
		Comparison: r.comparison(),
		Findings:   r.findings(),
		Facts:      r.facts(),
		Batch:      r.Trust.Batch,
	}
	if r.Figures.Counts.Events() > 0 {
		for _, k := range r.keyFigures() {
			page.KeyFigures = append(page.KeyFigures, keyView{k, template.HTML(k.Spark.HTML())})
		}
	}
	for i := range sections {
		page.Sections = append(page.Sections, newSectionView(&sections[i]))
	}
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "page.gohtml", page); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if b.Len() > MaxBytes {
		return fmt.Errorf("write report: the page has %d bytes, more than %d", b.Len(), MaxBytes)
	}
	_, err := b.WriteTo(w)
	return err
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
	Batch      int64
}

// keyView is a key figure with its drawing as HTML. The chart package escapes what it writes.
type keyView struct {
	KeyFigure
	Spark template.HTML
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
	// Small says that it has few columns.
	Small bool
}

// maxCells is the number of cells of a table that a page shows, and smallTable the number of columns up to
// which a table does not take the whole width.
const (
	maxCells   = 2400
	smallTable = 4
)

func newSectionView(s *Section) sectionView {
	return sectionView{Section: s, Figures: figureViews(s.Figures), Pair: figureViews(s.Pair)}
}

func figureViews(figures []Figure) (views []figureView) {
	for _, f := range figures {
		v := figureView{Title: f.Title, SVG: template.HTML(f.Drawing.HTML())}
		if f.Table != nil && len(f.Table.Rows) > 0 {
			v.Table = newTableView(*f.Table)
		}
		views = append(views, v)
	}
	return views
}

func newTableView(t chart.Table) *tableView {
	v := &tableView{Table: t, Count: chart.Plural(int64(len(t.Rows)), "row"), Small: len(t.Columns) <= smallTable}
	if most := maxCells / max(len(t.Columns), 1); len(t.Rows) > most {
		v.Note = fmt.Sprintf("The last %s of %s. datasync query lists them all.", chart.Count(int64(most)), chart.Count(int64(len(t.Rows))))
		if t.Note != "" {
			v.Note = t.Note + " " + v.Note
		}
		v.Rows = t.Rows[len(t.Rows)-most:]
	}
	cells := make([][]string, len(v.Rows))
	for i, row := range v.Rows {
		for _, cell := range row {
			cells[i] = append(cells[i], chart.Visible(cell))
		}
	}
	v.Rows = cells
	return v
}

// HTML returns the section as a page embeds it.
func (s *Section) HTML() (string, error) {
	var b bytes.Buffer
	err := templates.ExecuteTemplate(&b, "section", newSectionView(s))
	return b.String(), err
}
