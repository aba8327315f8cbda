package mockserver

import (
	"time"
)

// Forever is the number of times of a Repeat that never ends.
const Forever = -1

// Fault is a way in which one request fails. Constructors such as Status and Truncate make them.
// All durations are divided by Options.TimeScale, like those of the options.
//
// Some faults replace the proper answer; the request then counts towards no rate limit. Others
// change how any answer is sent. A fault that changes a page, or the answer of stream-access, has
// no effect on other answers, but is used up by them.
type Fault struct {
	name  string
	times int // 0 means once

	instead func(refuser, *incoming) *answer // replaces the answer
	deliver func(*answer)                    // changes how it is sent
	page    func(*pagePlan)                  // changes a page
	access  func(*accessPlan)                // changes the answer of stream-access
	delay   time.Duration                    // before everything else
}

// String names the fault.
func (f Fault) String() string { return f.name }

// Repeat returns f for n requests in a row, or for all that follow if n is Forever.
func Repeat(n int, f Fault) Fault {
	if n < 0 {
		n = Forever
	}
	f.times = n
	return f
}

// Pass is not a fault: the request is answered as usual. It makes gaps in a Script.
func Pass() Fault { return Fault{name: "pass"} }

// Delay delays the usual answer by d.
func Delay(d time.Duration) Fault { return Fault{name: "delay", delay: d} }

// Delayed is f after a delay of d.
func Delayed(d time.Duration, f Fault) Fault {
	f.name = "delayed " + f.name
	f.delay += d
	return f
}

// refuser makes the answers with which faults replace the proper one. The Server is the only
// implementation: the interface keeps faults, which options hold, from depending on it.
type refuser interface {
	bareError(status int) *answer
	errorAfter(status int, wait time.Duration) *answer
	limitedAs(in *incoming, wait time.Duration) *answer
	limited(limit RateLimit, left time.Duration) *answer
	scaled(d time.Duration) time.Duration
	keyRefused() *answer
	rejectToken(in *incoming) *answer
	dashboardRequired() *answer
	badCursor(err error) *answer
}
