package app

import (
	"database/sql"
	"time"

	"datasync/ingest/dryrun"
	"datasync/internal/model"
)

// foreseenJSON is what pull --dry-run --json prints. Times that are not known are null.
type foreseenJSON struct {
	Requests   int64                   `json:"requests"`
	Total      *int64                  `json:"total"`
	Newest     *time.Time              `json:"newest"`
	Oldest     *time.Time              `json:"oldest"` // about
	PageSize   int                     `json:"page_size"`
	Endpoints  map[string]endpointJSON `json:"endpoints"`
	Until      *bool                   `json:"until_honoured"`
	CursorLife *float64                `json:"cursor_life_s"`
	TokenLife  *float64                `json:"token_life_s"`
	NotBefore  map[string]time.Time    `json:"not_before"`
	// NotBeforeLeft is how long that is from now on, in seconds.
	NotBeforeLeft map[string]float64 `json:"not_before_s"`
	File          fileJSON           `json:"file"`
	Pull          *forecastJSON      `json:"pull"`
}

type endpointJSON struct {
	Usable bool     `json:"usable"`
	Why    string   `json:"why,omitempty"` // not
	Page   int      `json:"page_events"`
	Last   bool     `json:"last_page"`
	Bytes  int      `json:"page_bytes"`
	Took   float64  `json:"page_s"`
	Cached bool     `json:"page_cached"`
	Limit  *int     `json:"limit"`
	Window *float64 `json:"limit_window_s"`
	// Limited counts answers 429.
	Limited int64 `json:"limited"`
}

type fileJSON struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Held   int64  `json:"held"`
}

type forecastJSON struct {
	Events      int64    `json:"events"`
	New         int64    `json:"new"`
	Again       bool     `json:"again"`
	Pages       int64    `json:"pages"`
	Requests    int64    `json:"requests"`
	LimitsKnown bool     `json:"limits_known"`
	OneByOne    float64  `json:"one_by_one_s"`
	Workers     int64    `json:"workers"`
	SideBySide  *float64 `json:"side_by_side_s"` // at best
	Bytes       int64    `json:"bytes"`
	PerEvent    float64  `json:"bytes_per_event"`
	Measured    bool     `json:"measured"` // in this file
}

func (s *foreseen) json() foreseenJSON {
	out := foreseenJSON{
		Requests: s.Requests, Total: orNil(s.Total), Newest: timeOf(s.Newest), Oldest: timeOf(s.Oldest), PageSize: s.pageSize,
		Endpoints: map[string]endpointJSON{"events": endpointOf(&s.Events), "feed": endpointOf(&s.Feed)},
		Until:     orNil(s.Until), CursorLife: secondsOf(s.CursorLife), TokenLife: secondsOf(s.TokenLife),
		NotBefore: map[string]time.Time{}, NotBeforeLeft: map[string]float64{}, File: fileJSON{s.name, s.exists, s.Held},
	}
	for endpoint, until := range s.NotBefore {
		out.NotBefore[endpoint] = until.UTC()
		out.NotBeforeLeft[endpoint] = until.Sub(s.now).Round(time.Millisecond).Seconds()
	}
	if f := s.Forecast; f != nil {
		out.Pull = &forecastJSON{
			Events: f.Elements, New: f.New, Again: f.Again, Pages: f.Pages, Requests: f.Requests, LimitsKnown: f.Known,
			OneByOne: f.OneByOne.Seconds(), Workers: int64(f.Walks), Bytes: s.disk(f), PerEvent: s.perEvent, Measured: s.measured,
		}
		if f.SideBySide.Valid {
			best := f.SideBySide.V.Seconds()
			out.Pull.SideBySide = &best
		}
	}
	return out
}

func endpointOf(e *dryrun.EndpointFindings) endpointJSON {
	out := endpointJSON{Usable: e.Usable, Why: e.Why, Page: e.Page, Last: e.Last, Bytes: e.Bytes, Took: e.Took.Seconds(), Cached: e.Cached, Limited: e.Limited}
	if e.Limit > 0 {
		out.Limit, out.Window = &e.Limit, secondsOf(e.Window)
	}
	return out
}

func orNil[T any](v sql.Null[T]) *T {
	if !v.Valid {
		return nil
	}
	return &v.V
}

func timeOf(at sql.Null[model.Instant]) *time.Time {
	if !at.Valid {
		return nil
	}
	t := at.V.Time()
	return &t
}

// secondsOf is nil for no time.
func secondsOf(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	s := d.Seconds()
	return &s
}
