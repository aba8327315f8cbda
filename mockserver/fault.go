package mockserver

import (
	"time"
)

// Forever is the number of times of a Repeat that never ends.
const Forever = -1

// Fault is one way in which one request goes wrong. The constructors below
// make them. All durations are divided by Options.TimeScale, as those of the
// options are.
//
// Some faults take the place of the proper answer and then count towards no
// rate limit. Others change the way in which whatever answer there is goes
// out. Those that change a page, or the answer of stream-access, have no
// effect on another one, though they are used up by it.
type Fault struct {
	name  string
	times int // 0 means once

	instead func(refuser, *incoming) *answer // takes the place of the answer
	deliver func(*answer)                    // changes how it goes out
	page    func(*pagePlan)                  // changes a page
	access  func(*accessPlan)                // changes the answer of stream-access
	delay   time.Duration                    // before everything else
}

// String names the fault.
func (f Fault) String() string { return f.name }

// Repeat returns f for n requests in a row; n is Forever for all that follow.
func Repeat(n int, f Fault) Fault {
	if n < 0 {
		n = Forever
	}
	f.times = n
	return f
}

// Pass is no fault: the request is answered as usual. It makes gaps in a Script.
func Pass() Fault { return Fault{name: "pass"} }

// Delay answers as usual, after d.
func Delay(d time.Duration) Fault { return Fault{name: "delay", delay: d} }

// Delayed lets f happen after d.
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
