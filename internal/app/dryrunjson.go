package app

import (
	"database/sql"
	"time"

	"datasync/ingest/dryrun"
	"datasync/internal/model"
)

// forecastJSON is the output of pull --dry-run --json. Unknown times are null.
type forecastJSON struct {
	Requests   int64                   `json:"requests"`
	Total      *int64                  `json:"total"`
	Newest     *time.Time              `json:"newest"`
	Oldest     *time.Time              `json:"oldest"` // roughly
	PageSize   int                     `json:"page_size"`
	Endpoints  map[string]endpointJSON `json:"endpoints"`
	Until      *bool                   `json:"until_honoured"`
	CursorLife *float64                `json:"cursor_life_s"`
	TokenLife  *float64                `json:"token_life_s"`
	NotBefore  map[string]time.Time    `json:"not_before"`
	// NotBeforeLeft has the same in seconds from now.
	NotBeforeLeft map[string]float64 `json:"not_before_s"`
	File          fileJSON           `json:"file"`
	Pull          *pullJSON          `json:"pull"`
}

type endpointJSON struct {
	Usable bool     `json:"usable"`
	Why    string   `json:"why,omitempty"` // it is not usable
	Page   int      `json:"page_events"`
	Last   bool     `json:"last_page"`
	Bytes  int      `json:"page_bytes"`
	Took   float64  `json:"page_s"`
	Cached bool     `json:"page_cached"`
	Limit  *int     `json:"limit"`
	Window *float64 `json:"limit_window_s"`
	// Limited counts the answers with status 429.
	Limited int64 `json:"limited"`
}

type fileJSON struct {
	Path   string `json:"path"`
	Exists bool   `json:"exists"`
	Held   int64  `json:"held"`
}

type pullJSON struct {
	Events      int64 `json:"events"`
	New         int64 `json:"new"`
	Again       bool  `json:"again"`
	Pages       int64 `json:"pages"`
	Requests    int64 `json:"requests"`
	LimitsKnown bool  `json:"limits_known"`
	// LimitsAssumed says that the times assume usual limits where none is known.
	LimitsAssumed bool `json:"limits_assumed"`
	// Expected is the time of the pull with its options, Otherwise the one if LimitsAssumed is wrong.
	Expected   float64  `json:"expected_s"`
	Otherwise  *float64 `json:"otherwise_s"`
	Sequential float64  `json:"one_by_one_s"`
	Workers    int64    `json:"workers"`
	Concurrent *float64 `json:"side_by_side_s"`
	Bytes      int64    `json:"bytes"`
	PerEvent   float64  `json:"bytes_per_event"`
	Measured   bool     `json:"measured"` // in this file
}

func (r *forecastReport) json() forecastJSON {
	out := forecastJSON{
		Requests: r.Requests, Total: orNil(r.Total), Newest: timeOf(r.Newest), Oldest: timeOf(r.Oldest), PageSize: r.pageSize,
		Endpoints: map[string]endpointJSON{"events": endpointOf(&r.Events), "feed": endpointOf(&r.Feed)},
		Until:     orNil(r.Until), CursorLife: secondsOf(r.CursorLife), TokenLife: secondsOf(r.TokenLife),
		NotBefore: map[string]time.Time{}, NotBeforeLeft: map[string]float64{}, File: fileJSON{r.name, r.exists, r.Held},
	}
	for endpoint, until := range r.NotBefore {
		out.NotBefore[endpoint] = until.UTC()
		out.NotBeforeLeft[endpoint] = until.Sub(r.now).Round(time.Millisecond).Seconds()
	}
	if f := r.Forecast; f != nil {
		out.Pull = &pullJSON{
			Events: f.Elements, New: f.New, Again: f.Again, Pages: f.Pages, Requests: f.Requests, LimitsKnown: f.Known, LimitsAssumed: f.Assumes,
			Expected: f.Expected.Seconds(), Sequential: f.Sequential.Seconds(), Workers: int64(f.Walks), Bytes: r.disk(f), PerEvent: r.perEvent, Measured: r.measured,
		}
		if f.Concurrent.Valid {
			best := f.Concurrent.V.Seconds()
			out.Pull.Concurrent = &best
		}
		if f.Otherwise.Valid {
			other := f.Otherwise.V.Seconds()
			out.Pull.Otherwise = &other
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

// secondsOf returns nil for 0, which means unknown.
func secondsOf(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	s := d.Seconds()
	return &s
}
