package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"datasync/ingest"
	"datasync/ingest/dryrun"
	"datasync/internal/dbfile"
	"datasync/internal/store"
	"datasync/internal/term"
)

const (
	// emptyBytes is the size of a file without events.
	emptyBytes = 1_800_000
	// demoBytes is the size of an event of the demo in the file.
	demoBytes = 70
	// manyEvents is the number of events from which on the file's own bytes per event count.
	manyEvents = 100_000
)

// forecastReport is the report of a dry run.
type forecastReport struct {
	dryrun.Findings
	name     string // of the file
	exists   bool   // the file
	pageSize int
	perEvent float64 // bytes in the file
	// measure names the source of perEvent; measured says that it is this file.
	measure  string
	measured bool
	now      time.Time
}

// runDryRun asks the API a few times and writes what a pull would take. It changes nothing in
// the file but the waits that the API asks for.
func runDryRun(ctx context.Context, opts pullOptions) error {
	progress := &ingest.Progress{}
	opts.ingest.Progress = progress
	stopShowing := func() {}
	if !opts.quiet {
		opts.ingest.Notice, stopShowing = opts.io.Show(surveyProgress(progress))
		opts.ingest.Trace = opts.trace(opts.ingest.Notice)
	}
	stopShowing = sync.OnceFunc(stopShowing)
	defer stopShowing()
	file, err := dbfile.AwaitLock(ctx, opts.database, opts.lockWait(), func() (*store.Preflight, error) {
		return store.OpenPreflight(ctx, store.Options{Path: opts.database, Origin: opts.origin, ForgetWaits: opts.forgetWaits})
	})
	if err != nil {
		return err
	}
	waitReport{file.ImplausibleWaits(), file.ForgottenWaits(), opts.forgetWaits, "ignored"}.say(opts.ingest.Notice)
	found, err := dryrun.Run(ctx, opts.ingest, file, store.RowBytes)
	err = errors.Join(err, file.Close())
	stopShowing()
	r := &forecastReport{
		Findings: found, name: opts.database, exists: file.Exists(), pageSize: opts.ingest.PageSize, perEvent: demoBytes, measure: "as of the demo", now: time.Now(),
	}
	switch {
	case found.Held >= manyEvents:
		r.perEvent, r.measure, r.measured = float64(file.Bytes()-emptyBytes)/float64(found.Held), "as in the file", true
	case found.RowBytes > 0:
		r.perEvent, r.measure = found.RowBytes, "by the newest page"
	}
	if err != nil && len(found.NotBefore) == 0 {
		return err
	}
	// After a failure, the waits that the API asked for are still worth reporting.
	if opts.json {
		return errors.Join(err, unlessUnread(writeJSON(opts.io.Stdout, r.json())))
	}
	_, errWrite := io.WriteString(opts.io.Stdout, r.text(opts.io.Width()))
	return errors.Join(err, unlessUnread(errWrite))
}

// text returns the report for a person, on a terminal of that width; 0 means no limit.
func (r *forecastReport) text(width int) string {
	t := &fields{width: width}
	t.line("asked", "%s; no event was stored", term.Counted(r.Requests, "request"))
	if r.Events.Usable || r.Feed.Usable {
		t.line("API", "%s", r.api())
	}
	t.line("events", "%s", r.endpoint(&r.Events))
	t.line("feed", "%s", r.endpoint(&r.Feed))
	if r.Events.Usable || r.Feed.Usable {
		t.line("lifetimes", "a cursor %s, a token %s", lifetime(r.CursorLife), lifetime(r.TokenLife))
		t.line("by time", "%s", r.byTime())
	}
	for _, endpoint := range slices.Sorted(maps.Keys(r.NotBefore)) {
		until := r.NotBefore[endpoint]
		kept := ""
		if !r.exists {
			kept = "; datasync does not keep this wait, as there is no file to store it in"
		}
		t.line("not before", "%s: %s, in %s%s", endpoint, until.UTC().Format(time.RFC3339), countdown(until.Sub(r.now)), kept)
	}
	t.line("file", "%s", r.file())
	if f := r.Forecast; f != nil {
		r.forecast(t, f)
	} else {
		t.line("to read", "not known")
	}
	return t.String()
}

func (r *forecastReport) api() string {
	text := "did not say how many events it has"
	if r.Total.Valid {
		text = term.Counted(r.Total.V, "event")
	}
	if r.Newest.Valid {
		text += ", the newest of " + r.Newest.V.Time().Format(time.RFC3339Nano)
	}
	switch {
	case r.Oldest.Valid:
		text += ", the oldest of about " + r.Oldest.V.Time().Format("2006-01-02T15:04Z07:00")
	case r.Newest.Valid:
		text += ", the oldest not known"
	}
	return text
}

// endpoint says what an endpoint serves.
func (r *forecastReport) endpoint(e *dryrun.EndpointFindings) string {
	if !e.Usable {
		return "cannot be used: " + e.Why + limited(e)
	}
	text := fmt.Sprintf("%s a page (%s asked for), which took %s", term.Counted(int64(e.Page), "event"), term.Thousands(int64(r.pageSize)), term.Duration(e.Took))
	if e.Last {
		text = fmt.Sprintf("%s on its last page, which took %s", term.Counted(int64(e.Page), "event"), term.Duration(e.Took))
	}
	if e.Cached {
		text += " from a cache"
	}
	if e.Limit > 0 {
		text += fmt.Sprintf("; %s, by its headers", perTime(int64(e.Limit), e.Window))
	} else {
		text += "; no limit known"
	}
	return text + limited(e)
}

// limited says how many answers were 429.
func limited(e *dryrun.EndpointFindings) string {
	if e.Limited == 0 {
		return ""
	}
	return fmt.Sprintf("; %s with 429", term.Counted(e.Limited, "answer"))
}

// lifetime says how long a cursor or a token lives.
func lifetime(life time.Duration) string {
	if life == 0 {
		return "for an unknown time"
	}
	return term.Duration(life)
}

func (r *forecastReport) byTime() string {
	switch {
	case !r.Until.Valid:
		return "unknown whether the feed honours until"
	case r.Until.V:
		return "the feed honours until: an interrupted pull resumes where it stopped, and shards of a window can be read in parallel"
	}
	return "the feed does not honour until: pages are read one after the other"
}

func (r *forecastReport) file() string {
	if !r.exists {
		return r.name + ", which does not exist yet"
	}
	return fmt.Sprintf("%s, which holds %s", r.name, term.Counted(r.Held, "event"))
}

func (r *forecastReport) forecast(t *fields, f *dryrun.Forecast) {
	text := "about " + term.Counted(f.Elements, "event")
	switch {
	case f.Again:
		text += ", all of them again, as the cursor of the last pull has expired"
	case f.Elements > f.New:
		text += fmt.Sprintf(", %s of them new", term.Thousands(f.New))
	case f.Elements == 0:
		text = "nothing new"
	}
	t.line("to read", "%s: %s by %s", text, term.Counted(f.Pages, "page"), term.Counted(f.Requests, "request"))
	r.time(t, f)
	t.line("disk", "about %s more, %.0f bytes an event %s", megabytes(r.disk(f)), r.perEvent, r.measure)
}

// time says how long the pull takes, and what that assumes. If nothing shows whether the API limits requests,
// it says both times.
func (r *forecastReport) time(t *fields, f *dryrun.Forecast) {
	expected, usual := term.Duration(f.Expected), perTime(r.UsualRate(), time.Minute)
	inParallel := f.Concurrent.Valid && f.Concurrent.V < f.Sequential
	way := "one page after the other"
	if inParallel {
		way = fmt.Sprintf("with up to %s in parallel", term.Counted(int64(f.Walks), "page"))
	}
	switch otherwise := term.Duration(f.Otherwise.V); {
	case !f.Otherwise.Valid:
		t.line("time", "about %s %s, %s", expected, way, r.limits(f, usual))
	case f.Assumes:
		t.line("time", "about %s if the API limits as usual, %s; %s if it does not limit", expected, usual, otherwise)
		t.line("", "%s", way)
	default:
		t.line("time", "about %s if the API does not limit; %s if it limits as usual, %s", expected, otherwise, usual)
		t.line("", "%s", way)
	}
	if inParallel {
		t.line("", "about %s one page after the other", term.Duration(f.Sequential))
	}
}

// limits says which limits the estimate assumes.
func (r *forecastReport) limits(f *dryrun.Forecast, usual string) string {
	var unknown []string
	if r.Events.Usable && r.Events.Limit == 0 {
		unknown = append(unknown, "the events endpoint")
	}
	if r.Feed.Usable && r.Feed.Limit == 0 {
		unknown = append(unknown, "the feed")
	}
	switch {
	case f.Known:
		return "within the limits above"
	case f.Assumes:
		return fmt.Sprintf("assuming the usual limit for %s, %s", strings.Join(unknown, " and "), usual)
	}
	return "assuming no limit for " + strings.Join(unknown, " and ")
}

// perTime writes a rate, such as "10 requests a minute" or "20 requests in 30 s".
func perTime(requests int64, window time.Duration) string {
	switch window {
	case time.Second:
		return term.Counted(requests, "request") + " a second"
	case time.Minute:
		return term.Counted(requests, "request") + " a minute"
	case time.Hour:
		return term.Counted(requests, "request") + " an hour"
	}
	return term.Counted(requests, "request") + " in " + term.Duration(window)
}

// disk estimates how many bytes the file grows by.
func (r *forecastReport) disk(f *dryrun.Forecast) int64 {
	bytes := int64(r.perEvent * float64(f.New))
	if !r.exists {
		bytes += emptyBytes
	}
	return bytes
}

// megabytes rounds up to whole megabytes.
func megabytes(n int64) string {
	if n >= 1_000_000_000 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return term.Thousands((n+999_999)/1_000_000) + " MB"
}
