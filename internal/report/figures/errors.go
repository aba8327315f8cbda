package figures

import (
	"database/sql"
	"math"
	"slices"
	"time"
)

// DayErrors are the events and errors of a day.
type DayErrors struct{ Events, Errors int64 }

// Rate is the share of errors among the events, 0 without events.
func (d DayErrors) Rate() float64 {
	if d.Events == 0 {
		return 0
	}
	return float64(d.Errors) / float64(d.Events)
}

// ErrorDays are the errors of each day of the period.
func (f *Figures) ErrorDays() []DayErrors {
	days := make([]DayErrors, len(f.Period.Days))
	index := f.Period.index()
	for i := range f.Counts.Hours {
		h := &f.Counts.Hours[i]
		if at, ok := index[h.Date]; ok {
			days[at].Events += h.Total()
			days[at].Errors += f.Counts.Of(h, ErrorType)
		}
	}
	return days
}

// index returns the number of each day by its date.
func (p *Period) index() map[time.Time]int {
	index := make(map[time.Time]int, len(p.Days))
	for i, d := range p.Days {
		index[d.Date] = i
	}
	return index
}

// Band is the range in which a day's error rate falls by chance alone.
type Band struct {
	// Median is the median rate of full days. It is not valid with fewer than three full days.
	Median sql.Null[float64]
	// Low and High are the limits of each day of the period: three standard deviations of a share
	// of as many events as the day has.
	Low, High []float64
}

// deviations is the half width of a band in standard deviations.
const deviations = 3

// ErrorBand returns the band of the days' error rates.
func (f *Figures) ErrorBand(days []DayErrors) Band {
	var rates []float64
	for i, d := range f.Period.Days {
		if d.Whole && days[i].Events > 0 {
			rates = append(rates, days[i].Rate())
		}
	}
	if len(rates) < 3 {
		return Band{}
	}
	p := median(rates)
	b := Band{Median: sql.Null[float64]{V: p, Valid: true}, Low: make([]float64, len(days)), High: make([]float64, len(days))}
	for i, d := range days {
		spread := 0.0
		if d.Events > 0 {
			spread = deviations * math.Sqrt(p*(1-p)/float64(d.Events))
		}
		b.Low[i], b.High[i] = max(0, p-spread), min(1, p+spread)
	}
	return b
}

// median returns the middle of the values, which it sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}
