package web

import (
	"fmt"
	"time"

	"datasync/internal/chart"
	"datasync/internal/report"
)

const (
	// rateBucket is the span of a value of the chart of the rate, rateBuckets their number: five minutes.
	rateBucket  = 3 * time.Second
	rateBuckets = 100
	// rateOver is the span that the rate is a mean of.
	rateOver = time.Minute
)

// rates has how many elements arrived in the last five minutes, by endpoint. It is not safe for concurrent use.
type rates struct {
	began, newest time.Time
	last          map[string]int64 // what each endpoint had sent
	values        map[string]*[rateBuckets]float64
	// bucket is the number of the newest bucket since began.
	bucket int
	most   float64
}

// note records how much the endpoints have sent.
func (r *rates) note(now time.Time, endpoints []Endpoint) {
	first := r.last == nil || now.Before(r.newest) // or the clock was set
	if first {
		*r = rates{began: now, last: map[string]int64{}, values: map[string]*[rateBuckets]float64{}}
	}
	r.newest = now
	r.advance(int(now.Sub(r.began) / rateBucket))
	for _, e := range endpoints {
		if len(r.values) > 8 && r.values[e.Name] == nil {
			continue // an API has three
		}
		before := r.last[e.Name]
		switch {
		case first:
			before = e.Read // when they arrived is not known
		case e.Read < before:
			before = 0 // another run counts anew
		}
		r.last[e.Name] = e.Read
		if r.values[e.Name] == nil {
			r.values[e.Name] = &[rateBuckets]float64{}
		}
		r.values[e.Name][rateBuckets-1] += float64(e.Read - before)
	}
}

// advance moves the buckets on.
func (r *rates) advance(to int) {
	by := min(to-r.bucket, rateBuckets)
	r.bucket = to
	if by <= 0 {
		return
	}
	for _, v := range r.values {
		copy(v[:], v[by:])
		clear(v[rateBuckets-by:])
	}
}

// mean is the number of elements a second over the last minute, or the time since the beginning.
func (r *rates) mean() (perSecond float64, ok bool) {
	if r.last == nil {
		return 0, false
	}
	inBucket := r.newest.Sub(r.began) - time.Duration(r.bucket)*rateBucket
	buckets := min(int(rateOver/rateBucket), r.bucket)
	over := time.Duration(buckets)*rateBucket + inBucket
	if over < time.Second {
		return 0, false
	}
	sum := 0.0
	for _, v := range r.values {
		for _, n := range v[rateBuckets-1-buckets:] {
			sum += n
		}
	}
	return sum / over.Seconds(), true
}

// section shows the rate; false if there is none yet.
func (r *rates) section() (report.Section, bool) {
	perSecond, ok := r.mean()
	if !ok {
		return report.Section{}, false
	}
	c := chart.Rate{
		Head: chart.Head{Title: "Events a second over the last 5 minutes", Unit: "events a second, last 5 minutes"}, Bucket: rateBucket, Buckets: rateBuckets, AtLeast: r.most,
	}
	for _, each := range []struct {
		endpoint, name string
		color          chart.Color
	}{{"feed", "feed", chart.Teal}, {"events", "events endpoint", chart.Blue}} {
		counts := r.values[each.endpoint]
		if counts == nil {
			continue
		}
		from := max(0, rateBuckets-1-r.bucket)
		values := make([]float64, 0, rateBuckets)
		for _, n := range counts[from:] {
			values = append(values, n/rateBucket.Seconds())
		}
		c.Series, c.Values = append(c.Series, chart.Series{Name: each.name, Color: each.color}), append(c.Values, values)
	}
	r.most = c.Largest()
	note := "A bar is three seconds; the last one is not over."
	if len(c.Series) > 1 {
		note = "Stacked by endpoint. " + note
	}
	return report.Section{
		ID: "rate", Short: "Rate", Kicker: "Rate", Headline: fmt.Sprintf("%s a second over the last minute", chart.Plural(int64(perSecond+0.5), "event")),
		Note: note, Chip: "live", Figures: []report.Figure{report.NewFigure("", c)},
	}, true
}
