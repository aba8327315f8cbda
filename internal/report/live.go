package report

import (
	"datasync/internal/chart"
)

// Part is a section that is not drawn yet.
type Part struct {
	ID   string
	Draw func() Section
}

// LiveParts are the ids of the parts that need only the counts and the period of the figures, and the windows of
// Trust. The peak of the errors is that of Figures.Worst.
func LiveParts() []string {
	return []string{"days", "hours", "week", "errors", "pages", "devices", "windows"}
}

// Completeness says whether the file is complete, and as of when.
func (r *Report) Completeness() Badge { return r.badge() }

// NewFigure draws a chart and lists its figures. title is empty where a section has one figure.
func NewFigure(title string, c chart.Chart) Figure { return figure(title, c) }
