package api

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"datasync/ingest/decode"
)

const (
	// minMeasuredPage is the size below which a page says nothing of the link: its time is
	// latency.
	minMeasuredPage = 64 << 10
	// fastLink is the rate, in bytes a second, at which gzip cannot gain: pages are
	// inflated at 200 to 260 MB/s.
	fastLink = 200e6
	// minSpeedup is how many times faster the other way must be to be taken.
	minSpeedup = 1.2
	// warmUpPages is how many pages are measured before the other way is tried, and by how
	// many last ones a way is judged: their median, as one may have been held up.
	warmUpPages = 3
	// minCooldown and longestPatience bound the time between two trials, in times
	// that a page takes: a trial of the slower way must cost little.
	minCooldown, maxCooldown = 16, 1024
)

// errGzipRefused: the server refuses a request because it asks for gzip. Plain it may do.
var errGzipRefused = errors.New("it refuses gzip")

// compression decides whether the next page of one endpoint is asked for with gzip. It
// keeps to the way by which inflated bytes come faster, and tries the other one now
// and then, less and less often, so that it follows a link that changes. It knows no
// clock: the time that counts is that of the fetches, without any wait between them.
// The zero value begins plain. It is used by one request at a time.
type compression struct {
	gzip     bool // the way that is kept to
	lastSize int  // of the last page, inflated

	warm         bool                 // the first page, which sets the connection up, has come
	rates        [warmUpPages]float64 // of the last pages of the kept way, in bytes a second
	measured     int                  // that were so measured
	lastDuration time.Duration        // for the last of them

	compared      float64       // rate of the kept way when the other one was tried last
	fetching      time.Duration // since then
	cooldown      time.Duration // how much of that there must be before the next trial
	cooldownPages int           // pause, in times that a page takes

	gzipWorks bool // the last trial of gzip brought gzip
	failures  int  // requests for gzip in a row that failed
}

// wantsGzip reports whether the next page is to be asked for with gzip.
func (c *compression) wantsGzip() bool {
	return c.lastSize >= minMeasuredPage && c.gzip != c.trialDue()
}

// trialDue reports whether the next page is for trying the other way.
func (c *compression) trialDue() bool {
	return c.measured >= warmUpPages && c.fetching >= c.cooldown && (c.gzip || c.rate() < fastLink)
}

// rate is that of the kept way.
func (c *compression) rate() float64 {
	rates := c.rates
	slices.Sort(rates[:])
	return rates[len(rates)/2]
}

// onPage takes in a page: its size inflated, the time from the request to the last byte
// inflated, whether gzip was asked for, and whether it came so.
func (c *compression) onPage(size int, took time.Duration, asked, gzipped bool) {
	c.lastSize = size
	if !c.warm || size < minMeasuredPage {
		c.warm = true
		return
	}
	rate := float64(size) / max(took, 1).Seconds()
	switch {
	case asked && !gzipped:
		c.onFailure(true)
		c.measure(rate, took)
	case gzipped && !asked:
		// It comes so in any case: there is nothing to decide.
		c.coolDown(maxCooldown, took)
	default:
		if asked {
			c.gzipWorks, c.failures = true, 0
		}
		if gzipped == c.gzip {
			c.measure(rate, took)
		} else {
			c.compare(rate, took)
		}
	}
}

// measure takes in a page that came by the kept way.
func (c *compression) measure(rate float64, took time.Duration) {
	if c.rates[c.measured%warmUpPages] = rate; c.measured == 0 {
		c.rates = [warmUpPages]float64{rate, rate, rate}
	}
	c.measured++
	c.lastDuration = took
	c.fetching += took
	if c.measured < warmUpPages || !c.gzipWorks {
		return
	}
	if now := c.rate(); now < c.compared/2 || now > c.compared*2 {
		// What was found out was about another link, as it were.
		c.compared, c.cooldownPages, c.cooldown = now, minCooldown, minCooldown*took
	}
}

// compare takes in a page that came by the other way.
func (c *compression) compare(rate float64, took time.Duration) {
	c.compared = c.rate()
	if rate <= minSpeedup*c.compared && (!c.gzip || rate < fastLink) {
		c.coolDown(min(max(minCooldown, 2*c.cooldownPages), maxCooldown), took)
		return
	}
	c.coolDown(minCooldown, took)
	c.gzip, c.measured, c.compared = !c.gzip, 0, rate
	c.measure(rate, took)
}

// onError takes in the error of a request for gzip and returns it, marked as errNoGzip if
// it is that.
func (c *compression) onError(err error) error {
	var answer *APIError
	if errors.As(err, &answer) {
		switch answer.Status {
		case http.StatusTooManyRequests:
			return err
		case http.StatusNotAcceptable:
			answer.Kind = errGzipRefused
		}
	}
	c.onFailure(errors.Is(err, decode.ErrMalformed) || errors.Is(err, errGzipRefused))
	return err
}

// onFailure takes in a request for gzip of which no page came, or none by gzip. It was
// unusable where gzip is to blame: then the next request goes plain. Where it may be
// anything, it does so where gzip was only tried, or after a second failure.
func (c *compression) onFailure(unusable bool) {
	c.failures++
	if c.gzip && !unusable && c.failures == 1 {
		return
	}
	patience := minCooldown
	if !c.gzipWorks && (unusable || c.failures > 1) {
		patience = maxCooldown
	}
	if c.gzip {
		c.gzip, c.measured = false, 0
	}
	c.gzipWorks = false
	c.coolDown(patience, 0)
}

// coolDown puts the next trial off by so many times as a page takes by the slower way.
func (c *compression) coolDown(patience int, took time.Duration) {
	c.cooldownPages, c.cooldown, c.fetching = patience, time.Duration(patience)*max(took, c.lastDuration), 0
}
