package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// KeyFigure is a figure of the last full days beside that of the days before.
type KeyFigure struct {
	Name, Value string
	// Change compares the value with that before, such as "3.6 %, from 74,717"; "" without days
	// to compare. Arrow is up, down, same or "".
	Change string
	Arrow  string
	// Tone says whether the change is for the better; Plain where neither way is better.
	Tone  Tone
	Spark chart.Drawing
}

// measure is how a key figure is read from the figures of a span, and shown.
type measure struct {
	name string
	of   func(figures.Measures) float64
	word func(float64) string
	// better is 1 where more is better, -1 where less is, and 0 where neither is.
	better int
	// points says that the figure is a share, whose change is a difference of shares.
	points bool
}

// measures are the figures that the page begins with.
func measures() []measure {
	count := func(v float64) string { return chart.Count(int64(v)) }
	span := func(v float64) string { return chart.Span(time.Duration(v)) }
	return []measure{
		{name: "Events", of: func(m figures.Measures) float64 { return float64(m.Events) }, word: count},
		{name: "Active users", of: func(m figures.Measures) float64 { return float64(m.Users) }, word: count},
		{name: "Sessions", of: func(m figures.Measures) float64 { return float64(m.Sessions) }, word: count},
		{name: "Median session", of: func(m figures.Measures) float64 { return float64(m.Median) }, word: span},
		{name: "Purchases", of: func(m figures.Measures) float64 { return float64(m.Purchases) }, word: count, better: 1},
		{name: "Error rate", of: figures.Measures.ErrorRate, word: chart.Percent, better: -1, points: true},
	}
}

// keyFigures are the figures at the top of the page.
func (r *Report) keyFigures() []KeyFigure {
	c := r.Figures.Comparison
	n := len(c.Now)
	var all []KeyFigure
	for _, m := range measures() {
		if n == 0 {
			all = append(all, KeyFigure{Name: m.name, Value: m.word(m.of(r.whole())), Tone: Plain})
			continue
		}
		k := KeyFigure{Name: m.name, Value: m.word(m.of(c.Is)), Tone: Plain}
		m.compare(&k, m.of(c.Was), m.of(c.Is))
		spark := chart.Spark{Title: m.name + " by day, " + chart.Between(r.in(c.Before[0].Start), r.in(c.Now[n-1].End))}
		for i, day := range c.ByDay {
			if i < n {
				spark.Before = append(spark.Before, m.of(day))
			} else {
				spark.Now = append(spark.Now, m.of(day))
			}
		}
		k.Spark = spark.Draw()
		all = append(all, k)
	}
	return all
}

// whole are the key figures of the whole period.
func (r *Report) whole() figures.Measures {
	f := r.Figures
	m := figures.Measures{Users: f.Users.Count, Sessions: f.Sessions.Count, Median: f.Sessions.Median}
	for _, t := range f.Counts.Types {
		m.Events += t.Events
		switch t.Name {
		case figures.ErrorType:
			m.Errors = t.Events
		case figures.PurchaseType:
			m.Purchases = t.Events
		}
	}
	return m
}

// compare sets how the figure has changed.
func (m measure) compare(k *KeyFigure, before, now float64) {
	diff := now - before
	var size string
	same := false
	switch {
	case m.points:
		points := math.Round(1000*math.Abs(diff)) / 10
		same = points == 0
		size = chart.Decimal(points) + " points, "
	case before == 0:
		same = diff == 0
	default:
		same = math.Abs(diff/before) < 0.005
		size = chart.Percent(math.Abs(diff/before)) + ", "
	}
	k.Change = size + strings.ReplaceAll("from "+m.word(before), " ", nbsp)
	switch {
	case same:
		k.Arrow = "same"
	case diff > 0:
		k.Arrow = "up"
	default:
		k.Arrow = "down"
	}
	switch {
	case same || m.better == 0:
	case (diff > 0) == (m.better > 0):
		k.Tone = Good
	default:
		k.Tone = Caution
	}
}

// comparison says which days the key figures compare.
func (r *Report) comparison() string {
	c := r.Figures.Comparison
	if len(c.Now) == 0 {
		return "Of the whole period: it has too few full days to compare."
	}
	last := "the last full day"
	if n := len(c.Now); n > 1 {
		last = fmt.Sprintf("the last %d full days", n)
	}
	return fmt.Sprintf("%s (solid), %s, against %s (hollow).", r.betweenDays(c.Now), last, r.betweenDays(c.Before))
}
