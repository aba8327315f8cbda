package app

import (
	"fmt"
	"strings"
	"time"

	"datasync/ingest"
	"datasync/internal/term"
)

// pullProgress describes a pull on stderr: as a bar on a terminal, else as lines.
func pullProgress(progress *ingest.Progress) term.Progress {
	told := &troubleLines{}
	return term.Progress{
		Bar:   func(now time.Time) term.Bar { return pullBar(progress.Now(), now) },
		Event: func(now time.Time) string { return told.due(progress.Now(), now) },
		Line: func(now time.Time) string {
			s := progress.Now()
			return pullLine(s, now, told.regular(s, now))
		},
	}
}

// pullLine returns the line that replaces the bar, such as "93,000 of 300,000 events (31 %), 8,336 events/s, feed
// endpoint, 25 s left".
func pullLine(s ingest.Snapshot, now time.Time, trouble string) string {
	doing := activity(s, now, trouble)
	switch {
	case s.Walked > 0 || s.Total > 0 || s.Read > 0:
		return strings.TrimSuffix(eventsRead(s)+", "+doing, ", ")
	case trouble != "":
		return doing
	case s.Endpoint == "":
		return "no page yet"
	}
	return "no page yet, asking the " + doing
}

// surveyProgress describes a dry run on stderr. It counts nothing, as a dry run mostly ends before the bar
// appears.
func surveyProgress(progress *ingest.Progress) term.Progress {
	told := &troubleLines{}
	p := pullProgress(progress)
	p.Delay = percentDelay
	p.Event = func(now time.Time) string { return told.due(progress.Now(), now) }
	p.Line = func(now time.Time) string {
		if text := told.regular(progress.Now(), now); text != "" {
			return text
		}
		return "asking the API"
	}
	return p
}

// pullBar returns what the bar shows of a pull.
func pullBar(s ingest.Snapshot, now time.Time) term.Bar {
	b := term.Bar{Done: s.Walked, Total: s.Total, Pull: true, Left: s.Left}
	if b.Doing = (trouble{s, now}).barTexts(); b.Doing != nil {
		b.Waiting = true
	} else {
		b.Doing = rateTexts(s, now)
	}
	return b
}

// rateTexts returns the pull's rate for the bar, from the longest text to the shortest. Each is padded to a
// width of the bar, so that another digit moves nothing.
func rateTexts(s ingest.Snapshot, now time.Time) []string {
	rate := eventRate(s, now)
	if rate == "" {
		return []string{fmt.Sprintf("%16s  %s", "", s.Endpoint), ""}
	}
	return []string{
		fmt.Sprintf("%16s  %s", rate+" events/s", s.Endpoint), fmt.Sprintf("%16s", rate+" events/s"),
		fmt.Sprintf("%14s", rate+" events/s"), fmt.Sprintf("%14s", rate+"/s"),
	}
}

// eventRate returns the events per second of this run; "" before the first event.
func eventRate(s ingest.Snapshot, now time.Time) string {
	took := now.Sub(s.Began)
	if s.Read == 0 || took <= 0 {
		return ""
	}
	return term.Thousands(int64(float64(s.Read) / took.Seconds()))
}

// eventsRead says how many events were read, as in "1,200,000 of 3,000,000 events (40 %)".
func eventsRead(s ingest.Snapshot) string {
	if s.Total <= 0 {
		return term.Counted(s.Walked, "event")
	}
	return fmt.Sprintf("%s of %s events (%d %%)", term.Thousands(s.Walked), term.Thousands(s.Total), min(100, 100*s.Walked/s.Total))
}

// activity says how fast the pull is, what it does or what keeps pages from arriving, and how long it still
// takes.
func activity(s ingest.Snapshot, now time.Time, trouble string) string {
	var parts []string
	if rate := eventRate(s, now); rate != "" {
		parts = append(parts, rate+" events/s")
	}
	switch {
	case trouble != "":
		parts = append(parts, trouble)
	case s.Endpoint != "":
		parts = append(parts, s.Endpoint+" endpoint")
	}
	if s.Left > 0 {
		parts = append(parts, countdown(s.Left)+" left")
	}
	return strings.Join(parts, ", ")
}

// countdown writes a remaining time in whole seconds, rounded up: the last one is 1, not 0.
func countdown(d time.Duration) string { return term.Duration(time.Duration(seconds(d)) * time.Second) }

func seconds(d time.Duration) int64 { return max(0, int64((d+time.Second-1)/time.Second)) }
