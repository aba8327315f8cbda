package api

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"datasync/ingest/decode"
)

const (
	// tinyPage is the size below which a page says nothing of the link: its time is
	// latency.
	tinyPage = 64 << 10
	// fastLink is the rate, in bytes a second, at which gzip cannot gain: pages are
	// inflated at 200 to 260 MB/s.
	fastLink = 200e6
	// margin is how many times faster the other way must be to be taken.
	margin = 1.2
	// warmUp is how many pages are measured before the other way is tried, and by how
	// many last ones a way is judged: their median, as one may have been held up.
	warmUp = 3
	// firstPatience and longestPatience bound the time between two trials, in times
	// that a page takes: a trial of the slower way must cost little.
	firstPatience, longestPatience = 16, 1024
)

// errNoGzip: the server refuses a request because it asks for gzip. Plain it may do.
var errNoGzip = errors.New("it refuses gzip")

// compression decides whether the next page of one endpoint is asked for with gzip. It
// keeps to the way by which inflated bytes come faster, and tries the other one now
// and then, less and less often, so that it follows a link that changes. It knows no
// clock: the time that counts is that of the fetches, without any wait between them.
// The zero value begins plain. It is used by one request at a time.
type compression struct {
	gzip bool // the way that is kept to
	size int  // of the last page, inflated

	begun bool            // the first page, which sets the connection up, has come
	rates [warmUp]float64 // of the last pages of the kept way, in bytes a second
	pages int             // that were so measured
	took  time.Duration   // for the last of them

	compared float64       // rate of the kept way when the other one was tried last
	fetching time.Duration // since then
	pause    time.Duration // how much of that there must be before the next trial
	patience int           // pause, in times that a page takes

	works    bool // the last trial of gzip brought gzip
	failures int  // requests for gzip in a row that failed
}

// ask reports whether the next page is to be asked for with gzip.
func (c *compression) ask() bool { return c.size >= tinyPage && c.gzip != c.due() }

// due reports whether the next page is for trying the other way.
func (c *compression) due() bool {
	return c.pages >= warmUp && c.fetching >= c.pause && (c.gzip || c.rate() < fastLink)
}

// rate is that of the kept way.
func (c *compression) rate() float64 {
	rates := c.rates
	slices.Sort(rates[:])
	return rates[len(rates)/2]
}

// came takes in a page: its size inflated, the time from the request to the last byte
// inflated, whether gzip was asked for, and whether it came so.
func (c *compression) came(size int, took time.Duration, asked, gzipped bool) {
	c.size = size
	if !c.begun || size < tinyPage {
		c.begun = true
		return
	}
	rate := float64(size) / max(took, 1).Seconds()
	switch {
	case asked && !gzipped:
		c.failed(true)
		c.measure(rate, took)
	case gzipped && !asked:
		// It comes so in any case: there is nothing to decide.
		c.rest(longestPatience, took)
	default:
		if asked {
			c.works, c.failures = true, 0
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
	if c.rates[c.pages%warmUp] = rate; c.pages == 0 {
		c.rates = [warmUp]float64{rate, rate, rate}
	}
	c.pages++
	c.took = took
	c.fetching += took
	if c.pages < warmUp || !c.works {
		return
	}
	if now := c.rate(); now < c.compared/2 || now > c.compared*2 {
		// What was found out was about another link, as it were.
		c.compared, c.patience, c.pause = now, firstPatience, firstPatience*took
	}
}

// compare takes in a page that came by the other way.
func (c *compression) compare(rate float64, took time.Duration) {
	c.compared = c.rate()
	if rate <= margin*c.compared && (!c.gzip || rate < fastLink) {
		c.rest(min(max(firstPatience, 2*c.patience), longestPatience), took)
		return
	}
	c.rest(firstPatience, took)
	c.gzip, c.pages, c.compared = !c.gzip, 0, rate
	c.measure(rate, took)
}

// blame takes in the error of a request for gzip and returns it, marked as errNoGzip if
// it is that.
func (c *compression) blame(err error) error {
	var answer *APIError
	if errors.As(err, &answer) {
		switch answer.Status {
		case http.StatusTooManyRequests:
			return err
		case http.StatusNotAcceptable:
			answer.Kind = errNoGzip
		}
	}
	c.failed(errors.Is(err, decode.ErrMalformed) || errors.Is(err, errNoGzip))
	return err
}

// failed takes in a request for gzip of which no page came, or none by gzip. It was
// unusable where gzip is to blame: then the next request goes plain. Where it may be
// anything, it does so where gzip was only tried, or after a second failure.
func (c *compression) failed(unusable bool) {
	c.failures++
	if c.gzip && !unusable && c.failures == 1 {
		return
	}
	patience := firstPatience
	if !c.works && (unusable || c.failures > 1) {
		patience = longestPatience
	}
	if c.gzip {
		c.gzip, c.pages = false, 0
	}
	c.works = false
	c.rest(patience, 0)
}

// rest puts the next trial off by so many times as a page takes by the slower way.
func (c *compression) rest(patience int, took time.Duration) {
	c.patience, c.pause, c.fetching = patience, time.Duration(patience)*max(took, c.took), 0
}
