package dryrun

import (
	"database/sql"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/decode"
	"datasync/ingest/pacer"
	"datasync/ingest/shard"
	"datasync/internal/model"
)

// limited is a budget of that many requests a minute, as an answer states it.
func limited(requests int, now time.Time) (b pacer.Budget) {
	b.Sent(now)
	b.Stated(now, requests, requests-1, time.Minute)
	b.Granted(now)
	return b
}

func TestForecast(t *testing.T) {
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	total := func(n int64) sql.Null[int64] { return sql.Null[int64]{V: n, Valid: true} }
	fast := EndpointFindings{Usable: true, Page: 100, Took: time.Second}
	slow := EndpointFindings{Usable: true, Page: 50, Took: 2 * time.Second}
	atLimit := EndpointFindings{Usable: true, Page: 100, Took: time.Millisecond, Limit: 60, Window: time.Minute, budget: limited(60, now)}
	// With the usual limits, ten requests of an endpoint take more than a window.
	slower := sql.Null[time.Duration]{V: 31 * time.Second, Valid: true}
	expired := []model.Checkpoint{{Window: 1, Whole: 1, State: model.UnderWay, Pages: 3, Cursor: "c", CursorExpiresAt: now.Add(-time.Hour)}}
	for name, tc := range map[string]struct {
		found   Findings
		opts    ingest.Options
		windows []model.Checkpoint
		want    Forecast
	}{
		"one walk reads page after page": {
			Findings{Total: total(1000), Events: fast}, ingest.Options{PageSize: 1000, Workers: 1}, nil,
			Forecast{Elements: 1000, New: 1000, Pages: 10, Requests: 10, Sequential: 10 * time.Second, Expected: 10 * time.Second, Walks: 1, Otherwise: slower},
		},
		"the file has a part": {
			Findings{Total: total(1000), Held: 700, Events: fast}, ingest.Options{PageSize: 1000, Workers: 1}, nil,
			Forecast{Elements: 300, New: 300, Pages: 3, Requests: 3, Sequential: 3 * time.Second, Expected: 3 * time.Second, Walks: 1},
		},
		"a restart reads everything": {
			Findings{Total: total(1000), Held: 700, Events: fast}, ingest.Options{PageSize: 1000, Workers: 1, Restart: true}, nil,
			Forecast{Elements: 1000, New: 300, Pages: 10, Requests: 10, Sequential: 10 * time.Second, Expected: 10 * time.Second, Walks: 1, Otherwise: slower},
		},
		"an expired cursor reads everything": {
			Findings{Total: total(1000), Held: 700, Events: fast}, ingest.Options{PageSize: 1000, Workers: 1}, expired,
			Forecast{Elements: 1000, New: 300, Again: true, Pages: 10, Requests: 10, Sequential: 10 * time.Second, Expected: 10 * time.Second, Walks: 1, Otherwise: slower},
		},
		"unless the feed serves pages by time": {
			Findings{Total: total(1000), Held: 700, Events: fast, Until: sql.Null[bool]{V: true, Valid: true}}, ingest.Options{PageSize: 1000, Workers: 1}, expired,
			Forecast{Elements: 300, New: 300, Pages: 3, Requests: 3, Sequential: 3 * time.Second, Expected: 3 * time.Second, Walks: 1},
		},
		"only the feed": {
			Findings{Total: total(100), Feed: slow, TokenLife: time.Second}, ingest.Options{PageSize: 1000, Workers: 1}, nil,
			Forecast{Elements: 100, New: 100, Pages: 2, Requests: 2 + 1 + 4, Sequential: 4 * time.Second, Expected: 4 * time.Second, Walks: 1},
		},
		"several walks": {
			Findings{Total: total(1000), Events: fast, Until: sql.Null[bool]{V: true, Valid: true}}, ingest.Options{PageSize: 1000, Workers: 5}, nil,
			Forecast{
				Elements: 1000, New: 1000, Pages: 10, Requests: 10, Sequential: 10 * time.Second, Walks: 5,
				// One page alone, then four at a time, then the rest.
				Expected: 4 * time.Second, Concurrent: sql.Null[time.Duration]{V: 4 * time.Second, Valid: true},
				Otherwise: slower,
			},
		},
		"pages as large as asked for": {
			Findings{Total: total(1000), Events: fast}, ingest.Options{PageSize: 100, Workers: 1}, nil,
			Forecast{
				Elements: 1000, New: 1000, Pages: 10, Requests: 10, Sequential: 31 * time.Second, Expected: 31 * time.Second, Walks: 1,
				Assumes: true, Otherwise: sql.Null[time.Duration]{V: 10 * time.Second, Valid: true},
			},
		},
	} {
		got := tc.found.forecast(tc.opts, tc.windows, decode.Page{}, now)
		if got == nil || *got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
	// A limit of 60 requests a minute bounds every pull, however many walks there are.
	found := Findings{Total: total(30_000), Events: atLimit, Until: sql.Null[bool]{V: true, Valid: true}}
	f := found.forecast(ingest.Options{Workers: shard.Auto}, nil, decode.Page{}, now)
	if f == nil || !f.Known || f.Pages != 300 || f.Concurrent.V < 4*time.Minute || f.Sequential < f.Concurrent.V || f.Sequential > 6*time.Minute {
		t.Errorf("%+v", f)
	}
	// Pages of 100,000 show that the API follows its description. So it has limits that it does not state: 10
	// events pages in 30 s, and 20 of the feed. The dry run has sent some already.
	large := EndpointFindings{Usable: true, Page: 100_000, Took: 100 * time.Millisecond, sent: 2}
	found = Findings{Total: total(8_000_000), Events: large, Feed: large}
	if f := found.forecast(ingest.Options{Workers: shard.Auto}, nil, decode.Page{}, now); f == nil || f.Known || f.Expected < 30*time.Second || f.Expected > 80*time.Second {
		t.Errorf("an API by its description: %+v", f)
	}
	small := EndpointFindings{Usable: true, Page: 5000, Took: 10 * time.Millisecond}
	found = Findings{Total: total(3_000_000), Events: small, Feed: small}
	if f := found.forecast(ingest.Options{PageSize: 100_000, Workers: shard.Auto}, nil, decode.Page{}, now); f == nil || f.Expected != 6*time.Second || f.Otherwise.V < 9*time.Minute {
		t.Errorf("an API that shows no limit: %+v", f)
	}
	// Lifetimes that are a tenth of the usual ones show that the windows are, too.
	found.CursorLife, found.TokenLife = 11900*time.Millisecond, 30*time.Second
	if f := found.forecast(ingest.Options{PageSize: 5000, Workers: shard.Auto}, nil, decode.Page{}, now); f == nil || found.UsualRate() != 600 || f.Expected < 50*time.Second || f.Expected > 70*time.Second {
		t.Errorf("an API of short times: %+v", f)
	}
	// Only one of them shows nothing.
	if found.CursorLife = 119 * time.Second; found.UsualRate() != 60 {
		t.Errorf("%d requests a minute", found.UsualRate())
	}
	if f := (&Findings{Events: fast}).forecast(ingest.Options{}, nil, decode.Page{}, now); f != nil {
		t.Errorf("without a total: %+v", f)
	}
}
