package chart

import (
	"math"
	"testing"
)

// themes are the palette by property, light and dark.
func themes(t *testing.T) map[string]map[string]linear {
	t.Helper()
	all := map[string]map[string]linear{"light": {}, "dark": {}}
	for _, tone := range tones() {
		if _, twice := all["light"][tone.property]; twice {
			t.Errorf("%s is there twice", tone.property)
		}
		all["light"][tone.property] = parse(t, tone.light)
		all["dark"][tone.property] = parse(t, tone.dark)
	}
	return all
}

var heatColors = []string{"h1", "h2", "h3", "h4", "h5", "h6", "h7"}

// typeColors are the colours of a stack, from the bottom.
func typeColors() []string {
	var all []string
	for _, t := range Types() {
		all = append(all, string(t.Color))
	}
	return all
}

// TestColorsApart: people with each kind of colour vision tell apart neighbours in a stack, any two
// types, and each step of the heat map from the next.
func TestColorsApart(t *testing.T) {
	// The least distances that the palette has, rounded down: a change of a colour must not fall below.
	least := map[string]map[string][3]float64{ // neighbours, any two, heat
		"light": {"normal": {32.5, 18.5, 7.7}, "protan": {14.8, 14.6, 6.6}, "deutan": {17.8, 14.1, 5.8}, "tritan": {29.1, 13.3, 6.9}},
		"dark":  {"normal": {30.1, 13.5, 10.7}, "protan": {22.2, 13.7, 4.1}, "deutan": {20.5, 11.6, 6.4}, "tritan": {27.6, 11.3, 5.0}},
	}
	types := typeColors()
	for theme, colors := range themes(t) {
		for _, sight := range sights {
			apart := func(a, b string) float64 {
				return distance(colors[a].seen(sight.matrix).lab(), colors[b].seen(sight.matrix).lab())
			}
			got := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
			for i, a := range types {
				for j, b := range types[:i] {
					got[1] = min(got[1], apart(a, b))
					if j == i-1 {
						got[0] = min(got[0], apart(a, b))
					}
				}
			}
			for i := 1; i < len(heatColors); i++ {
				got[2] = min(got[2], apart(heatColors[i-1], heatColors[i]))
			}
			for n, what := range []string{"neighbours in the stack", "any two types", "steps of the heat map"} {
				if want := least[theme][sight.name][n]; got[n] < want {
					t.Errorf("%s, %s, %s: %.2f, want at least %.1f", theme, sight.name, what, got[n], want)
				}
			}
		}
	}
}

// TestHeatRises: each step of the heat map is darker than the last in light, and lighter in dark, for
// everybody.
func TestHeatRises(t *testing.T) {
	for theme, colors := range themes(t) {
		for _, sight := range sights {
			for i := 1; i < len(heatColors); i++ {
				rise := colors[heatColors[i]].seen(sight.matrix).lab().l - colors[heatColors[i-1]].seen(sight.matrix).lab().l
				if theme == "light" {
					rise = -rise
				}
				if rise < 2 {
					t.Errorf("%s, %s: from %s to %s by %.1f", theme, sight.name, heatColors[i-1], heatColors[i], rise)
				}
			}
		}
	}
}

// TestContrast: graphics have at least 3:1 against the page, as WCAG 2.2 asks for, text 4.5:1 against page
// and panel, and fainter colours are meant to be.
func TestContrast(t *testing.T) {
	faint := map[string]bool{"grid": true, "rule": true, "band": true, "panel": true, "page": true}
	text := map[string]bool{"text": true, "muted": true, "link": true, "good": true, "warn": true, "bad": true}
	for theme, colors := range themes(t) {
		for name, color := range colors {
			ratio := contrast(color, colors["page"])
			switch {
			case faint[name]:
				if ratio > 1.6 {
					t.Errorf("%s, %s: %.2f, not faint", theme, name, ratio)
				}
			case text[name]:
				if panel := contrast(color, colors["panel"]); min(ratio, panel) < 4.5 {
					t.Errorf("%s, text in %s: %.2f on the page, %.2f on a panel", theme, name, ratio, panel)
				}
			case ratio < 3.1:
				t.Errorf("%s, graphics in %s: %.2f", theme, name, ratio)
			}
		}
		// The text of a cell of a table of weeks is on the fill of a band.
		if ratio := contrast(colors["text"], colors["band"]); ratio < 7 {
			t.Errorf("%s: text on a band: %.2f", theme, ratio)
		}
		// The ring of the heat map is drawn over the largest value, in the colour of the page and of text.
		if ratio := contrast(colors["page"], colors["h7"]); ratio < 7 {
			t.Errorf("%s: page on the highest heat: %.2f", theme, ratio)
		}
	}
	paper := parse(t, "#ffffff")
	for name, color := range themes(t)["light"] {
		if ratio := contrast(color, paper); !faint[name] && ratio < 3.1 {
			t.Errorf("printed, %s: %.2f", name, ratio)
		}
	}
}
