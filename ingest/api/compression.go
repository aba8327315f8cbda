package api

import (
	"slices"
	"time"
)

const (
	// minMeasuredPage is the smallest page, in bytes, that measures a link. The time of a smaller
	// one is latency.
	minMeasuredPage = 64 << 10
	// fastLink is the rate, in bytes a second, from which gzip gains nothing: decompression runs
	// at 200 to 260 MB/s.
	fastLink = 200e6
	// minSpeedup is how many times faster the other encoding must be to replace the current one.
	minSpeedup = 1.2
	// warmUpPages is how many pages are measured before the first trial. The median of as many
	// last pages is the rate of an encoding, since one page may have been delayed.
	warmUpPages = 3
	// minCooldown and maxCooldown bound the time between two trials, as multiples of the time of
	// a page: trials of the slower encoding must cost little.
	minCooldown, maxCooldown = 16, 1024
)

// compression decides whether the next page of an endpoint is requested with gzip or plain. It
// keeps the encoding that delivers more decompressed bytes a second. It tries the other one more
// and more rarely, so that it follows a link that changes. It has no clock: it counts the time of
// requests, without the waits between them. The zero value begins plain. It is not safe for
// concurrent use.
type compression struct {
	gzip     bool // the current encoding
	lastSize int  // of the last page, decompressed

	warm         bool                 // the first page, which includes the connection setup, is over
	rates        [warmUpPages]float64 // of the last pages of the current encoding, in bytes a second
	measured     int                  // pages of the current encoding
	lastDuration time.Duration        // of the last one

	compared      float64       // rate of the current encoding at the last trial
	fetching      time.Duration // since the last trial
	cooldown      time.Duration // fetching time that must pass before the next trial
	cooldownPages int           // the same as a multiple of the time of a page

	gzipWorks bool // the last trial of gzip brought gzip
	failures  int  // consecutive failures of requests with gzip
}

// wantsGzip reports whether to request the next page with gzip.
func (c *compression) wantsGzip() bool {
	return c.lastSize >= minMeasuredPage && c.gzip != c.trialDue()
}

// trialDue reports whether the next page is a trial of the other encoding.
func (c *compression) trialDue() bool {
	return c.measured >= warmUpPages && c.fetching >= c.cooldown && (c.gzip || c.rate() < fastLink)
}

// rate returns the rate of the current encoding, in bytes a second.
func (c *compression) rate() float64 {
	rates := c.rates
	slices.Sort(rates[:])
	return rates[len(rates)/2]
}

// onPage records a page: its decompressed size, the time from the request to the last byte, whether
// gzip was requested, and whether the server used it.
func (c *compression) onPage(size int, took time.Duration, requested, gzipped bool) {
	c.lastSize = size
	if !c.warm || size < minMeasuredPage {
		c.warm = true
		return
	}
	rate := float64(size) / max(took, 1).Seconds()
	switch {
	case requested && !gzipped:
		c.onUnusable()
		c.measure(rate, took)
	case gzipped && !requested:
		// The server compresses in any case: there is no choice.
		c.coolDown(maxCooldown, took)
	default:
		if requested {
			c.gzipWorks, c.failures = true, 0
		}
		if gzipped == c.gzip {
			c.measure(rate, took)
		} else {
			c.compare(rate, took)
		}
	}
}

// measure records a page in the current encoding.
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
		// The link has changed so much that the last comparison no longer counts.
		c.compared, c.cooldownPages, c.cooldown = now, minCooldown, minCooldown*took
	}
}

// compare records a page in the other encoding, and switches to that if it is clearly faster.
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

// onUnusable records that gzip itself failed: the next request is plain.
func (c *compression) onUnusable() {
	c.failures++
	c.stopGzip(!c.gzipWorks)
}

// onFailure records a failure with gzip that may have another cause. The next request is plain if
// gzip was on trial, or after a second failure.
func (c *compression) onFailure() {
	c.failures++
	if c.gzip && c.failures == 1 {
		return
	}
	c.stopGzip(!c.gzipWorks && c.failures > 1)
}

// stopGzip returns to plain requests, with the longest cooldown if there is no hope for gzip.
func (c *compression) stopGzip(hopeless bool) {
	pages := minCooldown
	if hopeless {
		pages = maxCooldown
	}
	if c.gzip {
		c.gzip, c.measured = false, 0
	}
	c.gzipWorks = false
	c.coolDown(pages, 0)
}

// coolDown delays the next trial by the time of the given number of pages in the slower encoding.
func (c *compression) coolDown(pages int, took time.Duration) {
	c.cooldownPages, c.cooldown, c.fetching = pages, time.Duration(pages)*max(took, c.lastDuration), 0
}
