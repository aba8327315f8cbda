package figures

import (
	"cmp"
	"database/sql"
	"fmt"
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

// WorstHour is the hour whose errors exceed the usual number by the most.
type WorstHour struct {
	Start time.Time
	Date  time.Time
	Of    int
	// Errors are those of the hour, Usual is the median of the same hour on the other days of the
	// same kind: weekdays or weekend days.
	Errors int64
	Usual  float64
	// Day are the errors of each hour of that day by the clock, UsualDay the usual numbers.
	Day      [24]int64
	UsualDay [24]float64
	// Factors are the pages, browsers and devices of the hour's errors, those first whose share
	// differs the most from their usual share.
	Factors []Factor
}

// Factor is a page, browser or device in the errors of an hour.
type Factor struct {
	Kind string // page, browser or device
	Name sql.NullString
	// Share is its share of the hour's errors, Usual its share of the period's other errors.
	Share, Usual float64
}

const (
	// An hour is an outlier if it has at least leastErrors errors, leastRatio times the usual number,
	// and exceeds it by leastScore standard deviations of a Poisson distribution.
	leastErrors = 10
	leastRatio  = 2
	leastScore  = 6
	// maxFactors is the number of values of each kind that are read.
	maxFactors = 3
)

// worst finds the worst hour; f.Worst stays nil if no hour is an outlier.
func (r *reader) worst(f *Figures) error {
	c := &f.Counts
	// usual are the errors of an hour of the day by kind of day.
	type kind struct {
		weekend bool
		of      int
	}
	errorsOf := make(map[time.Time]*[24]int64, len(f.Period.Days))
	for i := range c.Hours {
		h := &c.Hours[i]
		if errorsOf[h.Date] == nil {
			errorsOf[h.Date] = &[24]int64{}
		}
		errorsOf[h.Date][h.Of] += c.Of(h, ErrorType)
	}
	byKind := map[kind][]dated{}
	for _, d := range f.Period.Days {
		day := errorsOf[d.Date]
		if day == nil {
			continue
		}
		for of, n := range day {
			k := kind{isWeekend(d.Date), of}
			byKind[k] = append(byKind[k], dated{d.Date, n})
		}
	}
	var worst *WorstHour
	best := 0.0
	for i := range c.Hours {
		h := &c.Hours[i]
		n := c.Of(h, ErrorType)
		usual, ok := usualOf(byKind[kind{isWeekend(h.Date), h.Of}], h.Date)
		score := (float64(n) - usual) / math.Sqrt(max(usual, 1))
		if ok && n >= leastErrors && float64(n) >= leastRatio*usual && score >= leastScore && score > best {
			best, worst = score, &WorstHour{Start: h.Start, Date: h.Date, Of: h.Of, Errors: n, Usual: usual}
		}
	}
	if worst == nil {
		return nil
	}
	worst.Day = *errorsOf[worst.Date]
	for of := range worst.UsualDay {
		worst.UsualDay[of], _ = usualOf(byKind[kind{isWeekend(worst.Date), of}], worst.Date)
	}
	f.Worst = worst
	return r.factors(worst)
}

// dated is a number of a day.
type dated struct {
	date time.Time
	n    int64
}

// usualOf returns the median of the numbers of other days than date, false if there is none.
func usualOf(all []dated, date time.Time) (float64, bool) {
	var others []float64
	for _, d := range all {
		if !d.date.Equal(date) {
			others = append(others, float64(d.n))
		}
	}
	if len(others) == 0 {
		return 0, false
	}
	return median(others), true
}

// factors reads what was different in the errors of the worst hour.
func (r *reader) factors(w *WorstHour) error {
	from, to := w.Start.UnixMicro(), w.Start.Add(time.Hour).UnixMicro()
	in := fmt.Sprintf(`(epoch_us("timestamp") >= %d AND epoch_us("timestamp") < %d)`, from, to)
	byKind := map[string][]Factor{}
	for _, k := range []struct{ kind, column string }{{"page", "properties ->> '$.page'"}, {"browser", "browser"}, {"device", "device_type"}} {
		err := r.each(`SELECT value, n / nullif(sum(n) OVER (), 0), coalesce(others / nullif(sum(others) OVER (), 0), 0)
			FROM (SELECT `+k.column+` AS value, count(*) FILTER (`+in+`) AS n, count(*) FILTER (NOT `+in+`) AS others
				FROM events `+r.where()+` AND type = 'error' GROUP BY value) QUALIFY n > 0 ORDER BY n DESC, value LIMIT 20`, func(rows *sql.Rows) error {
			factor := Factor{Kind: k.kind}
			err := rows.Scan(&factor.Name, &factor.Share, &factor.Usual)
			byKind[k.kind] = append(byKind[k.kind], factor)
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, kind := range []string{"page", "browser", "device"} {
		all := byKind[kind]
		slices.SortStableFunc(all, func(a, b Factor) int { return cmp.Compare(b.Share-b.Usual, a.Share-a.Usual) })
		w.Factors = append(w.Factors, all[:min(len(all), maxFactors)]...)
	}
	return nil
}

func isWeekend(date time.Time) bool {
	return date.Weekday() == time.Saturday || date.Weekday() == time.Sunday
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
