package app

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"datasync/ingest"
	"datasync/ingest/dryrun"
	"datasync/internal/store"

	"github.com/urfave/cli/v2"
)

const (
	// usualBytes is how many bytes of the file an event takes, as a pull of the demo's 300,000
	// leaves it. A file's own measure counts from manyEvents on: before, most of a file is
	// room that is kept ready.
	usualBytes = 76
	manyEvents = 100_000
)

// foreseen is what a dry run tells.
type foreseen struct {
	dryrun.Findings
	name     string // of the file
	exists   bool
	pageSize int
	perEvent float64 // bytes
	measured bool    // in this file
	now      time.Time
}

// dryRun says what the pull would take. The file is not changed but for waits that the API
// asks for.
func (p *program) dryRun(c *cli.Context, opts ingest.Options, origin string) error {
	ctx, stop := untilSignal(c.Context)
	defer stop()
	defer syscall.Umask(syscall.Umask(0o077))
	if c.Bool("quiet") {
		opts.Notice = nil
	}
	file, err := store.OpenPreflight(ctx, store.Options{Path: c.String("db"), Origin: origin, ForgetWaits: c.Bool("forget-waits")})
	if err != nil {
		return pullError(ctx, err)
	}
	tellWaits(opts.Notice, file.ImplausibleWaits(), file.ForgottenWaits(), c.Bool("forget-waits"), true)
	found, err := dryrun.Run(ctx, opts, file)
	err = errors.Join(err, file.Close())
	s := foreseen{
		Findings: found, name: c.String("db"), exists: file.Exists(), pageSize: opts.PageSize, perEvent: usualBytes, now: time.Now(),
	}
	if found.Held >= manyEvents {
		s.perEvent, s.measured = float64(file.Bytes())/float64(found.Held), true
	}
	// How long to leave the API alone is worth to be told also where nothing else is known.
	if err == nil || len(found.NotBefore) > 0 {
		err = errors.Join(err, orUnread(s.write(p.stdout, c.Bool("json"))))
	}
	return pullError(ctx, err)
}

func (s *foreseen) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return writeJSON(w, s.json())
	}
	t := &statusText{now: s.now}
	s.text(t)
	_, err := io.WriteString(w, t.String())
	return err
}

func (s *foreseen) text(t *statusText) {
	t.line("asked", "%s; no event was stored", counted(s.Requests, "request"))
	if s.Events.Usable || s.Feed.Usable {
		t.line("API", "%s", s.api())
	}
	t.line("events", "%s", s.endpoint(&s.Events))
	t.line("feed", "%s", s.endpoint(&s.Feed))
	if s.Events.Usable || s.Feed.Usable {
		t.line("lifetimes", "a cursor %s, a token %s", stated(s.CursorLife), stated(s.TokenLife))
		t.line("by time", "%s", s.byTime())
	}
	for _, endpoint := range slices.Sorted(maps.Keys(s.NotBefore)) {
		until := s.NotBefore[endpoint]
		kept := ""
		if !s.exists {
			kept = "; it is up to you, as there is no file to keep that in"
		}
		t.line("not before", "%s: %s, in %s%s", endpoint, until.UTC().Format(time.RFC3339), until.Sub(s.now).Round(time.Second), kept)
	}
	t.line("file", "%s", s.file())
	if f := s.Forecast; f != nil {
		s.forecast(t, f)
	} else {
		t.line("to read", "not known")
	}
}

func (s *foreseen) api() string {
	text := "did not say how many events it has"
	if s.Total.Valid {
		text = counted(s.Total.V, "event")
	}
	if s.Newest.Valid {
		text += ", the newest of " + s.Newest.V.Time().Format(time.RFC3339Nano)
	}
	switch {
	case s.Oldest.Valid:
		text += ", the oldest of about " + s.Oldest.V.Time().Format("2006-01-02T15:04Z07:00")
	case s.Newest.Valid:
		text += ", the oldest not known"
	}
	return text
}

// endpoint says what an endpoint gives.
func (s *foreseen) endpoint(e *dryrun.EndpointFindings) string {
	if !e.Usable {
		return "not to be used: " + e.Why + limited(e)
	}
	text := fmt.Sprintf("%s a page (%s asked for), which took %s", counted(int64(e.Page), "event"), thousands(int64(s.pageSize)), brief(e.Took))
	if e.Last {
		text = fmt.Sprintf("%s on its last page, which took %s", counted(int64(e.Page), "event"), brief(e.Took))
	}
	if e.Cached {
		text += " from a cache"
	}
	if e.Limit > 0 {
		text += fmt.Sprintf("; %s every %s, by its headers", counted(int64(e.Limit), "request"), e.Window)
	} else {
		text += "; no limit known"
	}
	return text + limited(e)
}

func limited(e *dryrun.EndpointFindings) string {
	if e.Limited == 0 {
		return ""
	}
	return fmt.Sprintf("; %s of 429", counted(e.Limited, "answer"))
}

func stated(life time.Duration) string {
	if life == 0 {
		return "for an unknown time"
	}
	return life.String()
}

func (s *foreseen) byTime() string {
	switch {
	case !s.Until.Valid:
		return "not found out whether the feed honours until"
	case s.Until.V:
		return "the feed honours until: what is cut off goes on where it stood, and several windows can be walked at a time"
	}
	return "the feed does not honour until: windows are walked one after the other"
}

func (s *foreseen) file() string {
	if !s.exists {
		return s.name + ", which is not there yet"
	}
	return fmt.Sprintf("%s, which holds %s", s.name, counted(s.Held, "event"))
}

func (s *foreseen) forecast(t *statusText, f *dryrun.Forecast) {
	text := "about " + counted(f.Elements, "event")
	switch {
	case f.Again:
		text += ", all of them again, as the cursor of the last pull has died"
	case f.Elements > f.New:
		text += fmt.Sprintf(", %s of them new", thousands(f.New))
	case f.Elements == 0:
		text = "nothing new"
	}
	t.line("to read", "%s: %s by %s", text, counted(f.Pages, "page"), counted(f.Requests, "request"))
	t.line("time", "about %s, one page after the other, %s", brief(f.OneByOne), s.limits())
	switch {
	case f.SideBySide.Valid:
		t.line("", "at best %s with up to %s at a time, each answered as quickly as one alone", brief(f.SideBySide.V), counted(int64(f.Walks), "page"))
	case f.Walks > 1:
		t.line("", "less with several pages at a time: how many are worth it, the pull finds out")
	}
	measure := "as measured on the demo"
	if s.measured {
		measure = "as in the file"
	}
	t.line("disk", "about %s more, %.0f bytes an event %s", megabytes(s.disk(f)), s.perEvent, measure)
}

// limits says which limits the time is reckoned with.
func (s *foreseen) limits() string {
	var without []string
	if s.Events.Usable && s.Events.Limit == 0 {
		without = append(without, "the events endpoint")
	}
	if s.Feed.Usable && s.Feed.Limit == 0 {
		without = append(without, "the feed")
	}
	if len(without) == 0 {
		return "within the limits above"
	}
	return "as if " + strings.Join(without, " and ") + " had no limit, of which none is known"
}

func (s *foreseen) disk(f *dryrun.Forecast) int64 { return int64(s.perEvent * float64(f.New)) }

func megabytes(n int64) string {
	if n >= 1_000_000_000 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return thousands((n+999_999)/1_000_000) + " MB"
}
