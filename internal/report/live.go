package report

import (
	"datasync/internal/chart"
)

// Sections are the parts of the page, in order.
func (r *Report) Sections() []Section { return r.sections() }

// Live are the sections that need only the counts and the period of the figures, and the windows of Trust. The peak
// of the errors is that of Figures.Worst.
func (r *Report) Live() []Section {
	return []Section{
		r.daysSection(), r.hoursSection(), r.weekSection(), r.errorsSection(), r.pagesSection(), r.devicesSection(), r.windowsSection(),
	}
}

// Completeness says whether the file is complete, and as of when.
func (r *Report) Completeness() Badge { return r.badge() }

// NewFigure draws a chart and lists its figures. title is empty where a section has one figure.
func NewFigure(title string, c chart.Chart) Figure { return figure(title, c) }
