package report

import "fmt"

// Target is a figure that was to be reached.
type Target struct {
	What string
	// Limit is compared with Figure: at most, or with AtLeast, at least.
	Limit   float64
	AtLeast bool
	// Unit is a format for Limit and Figure, such as "%.2f".
	Unit   string
	Figure float64
	// Missing says why there is no figure.
	Missing string
}

// Met reports whether the figure reaches the limit.
func (t Target) Met() bool {
	if t.Missing != "" {
		return false
	}
	if t.AtLeast {
		return t.Figure >= t.Limit
	}
	return t.Figure <= t.Limit
}

// Targets writes them as a table.
func Targets(targets []Target) string {
	table := NewTable("what", "target:", "measured:", "met")
	for _, t := range targets {
		bound := "at most "
		if t.AtLeast {
			bound = "at least "
		}
		figure, met := fmt.Sprintf(t.Unit, t.Figure), "no"
		switch {
		case t.Missing != "":
			figure, met = t.Missing, "?"
		case t.Met():
			met = "yes"
		}
		table.Add(t.What, bound+fmt.Sprintf(t.Unit, t.Limit), figure, met)
	}
	return table.String()
}
