package figures

import (
	"cmp"
	"database/sql"
	"math"
	"slices"
	"time"
)

// WorstHour is the hour whose errors exceed the usual number by the most.
type WorstHour struct {
	Start time.Time
	Date  time.Time
	Of    int
	// Errors are those of the hour. Usual is the median of the same hour on the file's other days of
	// the same kind, weekdays or weekend days. Where the file has no such day, it is the median error rate
	// of the period's hours, times the events of this one.
	Errors int64
	Usual  float64
	// Day are the errors of each hour of that day by the clock, UsualDay the usual numbers.
	Day      [24]int64
	UsualDay [24]float64
	// Compared says that Factors are known: the pages, browsers and devices whose share of the hour's errors
	// differs from the usual one, by kind, those first that have more than usual.
	Compared bool
	Factors  []Factor
}

// Factor is a page, browser or device in the errors of an hour.
type Factor struct {
	Kind string // page, browser or device
	Name sql.NullString
	// Share is its share of the hour's errors. Usual is its share of the file's other errors, and not a
	// number if there are none.
	Share, Usual float64
}

const (
	// An hour is an outlier if it has at least leastErrors errors, leastRatio times the usual number,
	// and exceeds it by leastScore standard deviations of a Poisson distribution.
	leastErrors = 10
	leastRatio  = 2
	leastScore  = 6
	// A share differs if it is leastDifference away from the usual one, and more than chance explains.
	leastDifference = 0.1
	// maxRaised is the number of values of a kind with more than their usual share, and maxLowered that of
	// values with less.
	maxRaised, maxLowered = 2, 1
)

// hourOfDay is an hour of a date by the clock.
type hourOfDay struct {
	date time.Time
	of   int
}

// worst finds the worst hour; f.Worst stays nil if no hour is an outlier.
func (r *reader) worst(f *Figures) error {
	u, err := r.usual(f)
	if err != nil {
		return err
	}
	if f.Worst = f.outlier(u); f.Worst == nil {
		return nil
	}
	f.Worst.Compared = true
	return r.factors(f.Worst)
}

// outlier returns the worst hour without its factors, nil if no hour is an outlier.
func (f *Figures) outlier(u usualErrors) *WorstHour {
	var worst *WorstHour
	best := 0.0
	for i := range f.Counts.Hours {
		h := &f.Counts.Hours[i]
		n := f.Counts.Of(h, ErrorType)
		if n < leastErrors {
			continue
		}
		usual := u.of(hourOfDay{h.Date, h.Of}, h.Total())
		score := (float64(n) - usual) / math.Sqrt(max(usual, 1))
		if float64(n) >= leastRatio*usual && score >= leastScore && score > best {
			best, worst = score, &WorstHour{Start: h.Start, Date: h.Date, Of: h.Of, Errors: n, Usual: usual}
		}
	}
	if worst == nil {
		return nil
	}
	var events [24]int64
	for i := range f.Counts.Hours {
		if h := &f.Counts.Hours[i]; h.Date.Equal(worst.Date) {
			worst.Day[h.Of] += f.Counts.Of(h, ErrorType)
			events[h.Of] += h.Total()
		}
	}
	for of := range worst.Day {
		worst.UsualDay[of] = u.of(hourOfDay{worst.Date, of}, events[of])
	}
	return worst
}

// usualErrors says how many errors are usual.
type usualErrors struct {
	// byHour are the errors of the hours that the file has whole, and samples their numbers in order, by
	// kind.
	byHour  map[hourOfDay]int64
	samples map[hourKind][]int64
	// rate is the median error rate of the period's hours.
	rate float64
}

// hourKind is an hour of the day on weekdays or on weekend days.
type hourKind struct {
	weekend bool
	of      int
}

func kindOf(h hourOfDay) hourKind {
	weekday := h.date.Weekday()
	return hourKind{weekday == time.Saturday || weekday == time.Sunday, h.of}
}

// usual reads the errors of each hour of the file.
func (r *reader) usual(f *Figures) (usualErrors, error) {
	u := f.usualRate()
	if r.oldest.IsZero() {
		return u, nil
	}
	days, err := r.days(&f.Period, r.oldest, r.newest)
	if err != nil {
		return u, err
	}
	u.add(&f.Period, days, r.oldest, r.newest)
	err = r.each(`SELECT epoch_us(CAST(day AS TIMESTAMP)), CAST(date_part('hour', hour) AS INTEGER), CAST(sum(n) AS BIGINT)
		FROM (SELECT `+bucketOf+` AS bucket, count(*) AS n FROM events WHERE type = '`+ErrorType+`'`+r.between(time.Time{}, time.Time{})+` GROUP BY bucket)
		JOIN temp.datasync_buckets USING (bucket) GROUP BY ALL`, func(rows *sql.Rows) error {
		var date, n int64
		var of int
		err := rows.Scan(&date, &of, &n)
		if h := (hourOfDay{micros(date), of}); err == nil {
			if _, ok := u.byHour[h]; ok {
				u.byHour[h] += n
			}
		}
		return err
	})
	u.sort()
	return u, err
}

// usualRate has the usual rate of errors in the period, and no hour.
func (f *Figures) usualRate() usualErrors {
	u := usualErrors{byHour: map[hourOfDay]int64{}, samples: map[hourKind][]int64{}}
	var rates []float64
	for i := range f.Counts.Hours {
		h := &f.Counts.Hours[i]
		rates = append(rates, DayErrors{h.Total(), f.Counts.Of(h, ErrorType)}.Rate())
	}
	if len(rates) > 0 {
		u.rate = median(rates)
	}
	return u
}

// add adds the hours that a file with these first and last events has whole, without errors.
func (u usualErrors) add(p *Period, days []Day, oldest, newest time.Time) {
	for _, d := range days {
		for of := range 24 {
			from := d.Start.Add(time.Duration(of) * time.Hour)
			to := from.Add(time.Hour)
			if !from.Before(oldest.Add(-slack)) && !to.After(newest) && !p.Pulling(from, to) {
				u.byHour[hourOfDay{d.Date, of}] = 0
			}
		}
	}
}

// sort makes the samples of the hours.
func (u usualErrors) sort() {
	for h, n := range u.byHour {
		u.samples[kindOf(h)] = append(u.samples[kindOf(h)], n)
	}
	for _, s := range u.samples {
		slices.Sort(s)
	}
}

// countedOutlier is outlier by the counts of the period alone.
func (f *Figures) countedOutlier() *WorstHour {
	u := f.usualRate()
	u.add(&f.Period, f.Period.Days, f.Period.First, f.Period.Last)
	for i := range f.Counts.Hours {
		h := &f.Counts.Hours[i]
		at := hourOfDay{h.Date, h.Of}
		if _, ok := u.byHour[at]; ok {
			u.byHour[at] += f.Counts.Of(h, ErrorType)
		}
	}
	u.sort()
	return f.outlier(u)
}

// of returns the usual number of errors of an hour that has so many events.
func (u usualErrors) of(h hourOfDay, events int64) float64 {
	samples := u.samples[kindOf(h)]
	skip := -1 // the hour itself
	if n, ok := u.byHour[h]; ok {
		skip, _ = slices.BinarySearch(samples, n)
	}
	others := len(samples)
	if skip >= 0 {
		others--
	}
	if others == 0 {
		return u.rate * float64(events)
	}
	at := func(i int) float64 {
		if skip >= 0 && i >= skip {
			i++
		}
		return float64(samples[i])
	}
	return (at((others-1)/2) + at(others/2)) / 2
}

// factors reads which shares of the worst hour's errors differ.
func (r *reader) factors(w *WorstHour) error {
	from, to := later(w.Start, r.opts.Since), w.Start.Add(time.Hour)
	if !r.opts.Until.IsZero() {
		to = earlier(to, r.opts.Until)
	}
	all := r.between(time.Time{}, time.Time{})
	in := "(true" + r.between(from, to) + ")"
	for _, k := range []struct{ kind, column string }{{"page", "properties ->> '$.page'"}, {"browser", "browser"}, {"device", "device_type"}} {
		var found []Factor
		err := r.each(`SELECT value, n / sum(n) OVER () AS share, others / nullif(sum(others) OVER (), 0) AS usual
			FROM (SELECT `+k.column+` AS value, count(*) FILTER (`+in+`) AS n, count(*) FILTER (NOT `+in+`) AS others
				FROM events WHERE type = '`+ErrorType+`'`+all+` GROUP BY value)
			ORDER BY greatest(share, usual) DESC, value NULLS LAST LIMIT 20`, func(rows *sql.Rows) error {
			factor := Factor{Kind: k.kind}
			var usual sql.NullFloat64
			err := rows.Scan(&factor.Name, &factor.Share, &usual)
			factor.Usual = math.NaN()
			if usual.Valid {
				factor.Usual = usual.Float64
			}
			if factor.differs(w.Errors) {
				found = append(found, factor)
			}
			return err
		})
		if err != nil {
			return err
		}
		slices.SortStableFunc(found, func(a, b Factor) int { return cmp.Compare(b.Share-b.Usual, a.Share-a.Usual) })
		raised := 0
		for raised < min(len(found), maxRaised) && !(found[raised].Share < found[raised].Usual) {
			raised++
		}
		w.Factors = append(w.Factors, found[:raised]...)
		for _, lowered := range found[max(raised, len(found)-maxLowered):] {
			if lowered.Share < lowered.Usual {
				w.Factors = append(w.Factors, lowered)
			}
		}
	}
	return nil
}

// StandsOut names the page, browser or device that has at least half of the hour's errors and usually has
// clearly fewer; false if there is none.
func (w *WorstHour) StandsOut(kind string) (name string, ok bool) {
	for _, f := range w.Factors {
		if f.Kind == kind && f.Name.Valid && f.Share >= 0.5 && !(f.Share < 1.5*f.Usual) {
			return f.Name.String, true
		}
	}
	return "", false
}

// differs reports whether the share of so many errors is not the usual one. Without a usual share, most of
// the errors are worth naming.
func (f Factor) differs(errors int64) bool {
	if math.IsNaN(f.Usual) {
		return f.Share >= 0.5
	}
	chance := deviations * math.Sqrt(f.Usual*(1-f.Usual)/float64(max(errors, 1)))
	return math.Abs(f.Share-f.Usual) >= max(leastDifference, chance)
}
