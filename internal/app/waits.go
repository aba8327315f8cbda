package app

import (
	"fmt"
	"time"

	"datasync/internal/inspect"
)

// waitReport is about the waits in a file that a pull does not keep.
type waitReport struct {
	// implausible are waits that no endpoint can have asked for, forgotten those that the user
	// wants to be ignored.
	implausible, forgotten []inspect.Wait
	// forget is --forget-waits.
	forget bool
	// verb is "dropped", or "ignored" if the waits stay in the file.
	verb string
}

// say reports the waits to notice, unless that is nil.
func (r waitReport) say(notice func(string)) {
	if notice == nil {
		return
	}
	for _, w := range r.implausible {
		notice(fmt.Sprintf("%s a wait in the file that is more than a day long: %s until %s", r.verb, w.Endpoint, w.Until.UTC().Format(time.RFC3339)))
	}
	for _, w := range r.forgotten {
		notice(fmt.Sprintf("%s a wait because of --forget-waits: %s asked for no requests until %s, which is in %s", r.verb,
			w.Endpoint, w.Until.UTC().Format(time.RFC3339), countdown(time.Until(w.Until))))
	}
	if r.forget && len(r.forgotten) == 0 {
		notice("there is no wait to ignore (--forget-waits)")
	}
}
