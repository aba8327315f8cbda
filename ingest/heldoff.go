package ingest

import (
	"datasync/ingest/api"
	"fmt"
	"time"
)

// longAlone is how long the events endpoint must want to be left alone, at most, for a person
// to be told that the feed serves in its place.
const longAlone = 5 * time.Minute

// tellHeldOff says, once in a run, that the feed serves as the events endpoint wants to be left
// alone for long: nothing else would show why a pull is as slow as the feed.
func (e *endpoints) tellHeldOff(at place) {
	if at.name != api.Feed {
		return
	}
	e.mu.Lock()
	events := e.gates[api.Events]
	until := events.opens
	tell := !e.toldHeldOff && time.Until(until) > min(e.maxWait, longAlone)
	e.toldHeldOff = e.toldHeldOff || tell
	e.mu.Unlock()
	if tell {
		e.notice(fmt.Sprintf("the %s endpoint asked to be left alone until %s: going on by the %s; with --forget-waits the next pull asks it all the same",
			api.Events, until.UTC().Format(time.RFC3339), api.Feed))
	}
}
