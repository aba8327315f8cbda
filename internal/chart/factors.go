package chart

import "math"

// Factors are shares beside the usual ones, such as those of the errors of a bad hour: each a bar on the
// scale from 0 to 100 %, with a tick at its usual share.
type Factors struct {
	Head
	// Of is what the shares are parts of, such as "the errors". It heads the column of the table.
	Of   string
	Rows []Factor
}

// Factor is one bar of [Factors].
type Factor struct {
	Kind  string // what Name is, such as "page"
	Name  string
	Share float64 // from 0 to 1
	Usual float64 // from 0 to 1; NaN is unknown
}

// raised says whether a share is higher than usual, which is drawn in red.
func (f Factor) raised() bool { return f.Share > f.Usual }

// clean are the factors with shares that a bar can have.
func (f Factors) clean() Factors {
	rows := make([]Factor, len(f.Rows))
	for i, row := range f.Rows {
		row.Share, row.Usual = min(1, sane(row.Share)), shareOrNone(row.Usual)
		rows[i] = row
	}
	f.Rows = rows
	return f
}

// Draw returns the drawing.
func (f Factors) Draw() Drawing { return both(f.clean().draw) }

func (f Factors) draw(form form) string {
	const top = 24.0
	pitch := pick(form, 28.0, 40.0)
	c := newCanvas(form.class, form.width, top+pitch*float64(max(len(f.Rows), 1)), f.Title, f.describe())
	c.text("m", 0, 13, sentence(f.Unit, form.width))
	if len(f.Rows) == 0 {
		c.line("axis", 0.5, top, 0.5, top+pitch)
		c.text("", 12, top+17, sentence(f.nothing(), form.width-12))
		return c.end()
	}
	kinds, names := f.columns()
	usually := 0.0
	for _, row := range f.Rows {
		usually = max(usually, Width(row.usually()))
	}
	share := BoldWidth("99.9"+nbsp+"%") + 8
	start, bars := kinds+names+12, form.width-usually-14-share-(kinds+names+12)
	if form.narrow() {
		start, bars = 1, form.width-share-1 // a tick at zero is inside, too
	}
	for i, row := range f.Rows {
		y := top + pitch*float64(i)
		base, bar, thick := y+18, y+6, 16.0
		if form.narrow() {
			base, bar, thick = y+13, y+19, 11
		}
		c.text("m", 0, base, Fit(row.Kind, kinds))
		if form.narrow() {
			c.text(nameClass("", row.Name), kinds, base, Fit(row.Name, form.width-kinds-usually-10))
		} else {
			c.text(nameClass("", row.Name), kinds, base, Fit(row.Name, names))
		}
		c.track(start, bar, bars, thick)
		color := Slate
		if row.raised() {
			color = Red
		}
		c.bar(color, start, bar, barLength(row.Share, 1, bars), thick)
		if !math.IsNaN(row.Usual) {
			x := start + row.Usual*bars
			c.path("page", box(max(0, x-2), bar-3, min(4, x+2), thick+6))
			c.path(string(Strong), box(x-1, bar-3, 2, thick+6))
		}
		if form.narrow() {
			c.text("m e", form.width, base, row.usually())
			c.text("b e", form.width, bar+10, Percent(row.Share))
		} else {
			c.text("b e", form.width-usually-14, base, Percent(row.Share))
			c.text("m e", form.width, base, row.usually())
		}
	}
	return c.end()
}

// columns are the widths of the kinds and of the names.
func (f Factors) columns() (kinds, names float64) {
	for _, row := range f.Rows {
		kinds = max(kinds, Width(Label(row.Kind)))
		names = max(names, Width(Label(row.Name)))
	}
	return min(kinds, 70) + 12, min(max(names, 60), 190)
}

func (f Factor) usually() string {
	if math.IsNaN(f.Usual) {
		return ""
	}
	return "usually " + Percent(f.Usual)
}

func (f Factors) describe() string {
	if len(f.Rows) == 0 {
		return f.nothing() + "."
	}
	s := "Bars from 0 to 100 %, each with a tick at the usual share."
	for _, row := range f.Rows {
		s += " " + fullText(row.Kind) + " " + fullText(row.Name) + ": " + Percent(row.Share)
		if usually := row.usually(); usually != "" {
			s += ", " + usually
		}
		s += "."
	}
	return s
}

// Table returns the shares and the usual ones.
func (f Factors) Table() Table {
	f = f.clean()
	of := "share"
	if f.Of != "" {
		of += " of " + f.Of
	}
	t := Table{Name: lowerFirst(f.Title), Columns: []Column{{Name: "kind"}, {Name: "name"}, {Name: of, Number: true}, {Name: "usual share", Number: true}}}
	for _, row := range f.Rows {
		t.Rows = append(t.Rows, []string{fullText(row.Kind), fullText(row.Name), Tenth(row.Share), tenthOr(row.Usual)})
	}
	return t
}

func tenthOr(share float64) string {
	if math.IsNaN(share) {
		return "–"
	}
	return Tenth(share)
}
