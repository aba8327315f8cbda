package report

import (
	"time"

	"datasync/internal/chart"
	"datasync/internal/report/figures"
)

// bucketOf returns the span of a step: at most 100 steps for the whole time.
func bucketOf(took time.Duration) time.Duration {
	for _, b := range []time.Duration{
		time.Millisecond * 100, time.Millisecond * 200, time.Millisecond * 500, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 10 * time.Second,
		20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour,
	} {
		if took <= 100*b {
			return b
		}
	}
	return 24 * time.Hour
}

// stepsOf are the events a second of an endpoint: each batch is spread evenly over the time of its requests.
func stepsOf(p *figures.Pull, endpoint string, bucket time.Duration) (chart.Steps, bool) {
	n := int(p.Ended.Sub(p.Began)/bucket) + 1
	color := chart.Blue
	if endpoint == "feed" {
		color = chart.Teal
	}
	s := chart.Steps{Name: longName(endpoint), Color: color, Values: make([]float64, n)}
	total := int64(0)
	for _, b := range p.Batches {
		if b.Endpoint != endpoint || b.Events == 0 {
			continue
		}
		total += b.Events
		to := b.CommittedAt
		from := to.Add(-b.Took)
		if from.Before(p.Began) {
			from = p.Began
		}
		spread(s.Values, p.Began, bucket, from, to, float64(b.Events))
	}
	s.Note = chart.Plural(total, "event")
	return s, total > 0
}

// spread adds an amount to buckets in proportion to their part of a span, as an amount a second.
func spread(values []float64, began time.Time, bucket time.Duration, from, to time.Time, amount float64) {
	if !to.After(from) {
		from = to.Add(-time.Millisecond)
	}
	for i := range values {
		left := began.Add(time.Duration(i) * bucket)
		right := left.Add(bucket)
		if from.After(left) {
			left = from
		}
		if to.Before(right) {
			right = to
		}
		if right.After(left) {
			values[i] += amount * float64(right.Sub(left)) / float64(to.Sub(from)) / bucket.Seconds()
		}
	}
}
