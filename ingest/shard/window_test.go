package shard

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
)

func instant(n model.Instant) sql.Null[model.Instant] {
	return sql.Null[model.Instant]{V: n, Valid: true}
}

func TestWindowsAreGrouped(t *testing.T) {
	const done, begun, opened = model.Done, model.UnderWay, model.NotBegun
	windows := Windows([]model.Checkpoint{
		{Window: 9, Whole: 9, State: opened}, // opened, and no page committed: it is replaced
		{Window: 4, Whole: 4, State: done, Pages: 3, Lower: instant(60)},
		{Window: 5, Whole: 4, State: begun, Pages: 1, Begins: instant(60), Lower: instant(30)},
		{Window: 6, Whole: 4, State: opened, Begins: instant(30)},
		{Window: 1, Whole: 1, State: done, Pages: 8},
	})
	if len(windows) != 2 || len(windows[0]) != 3 || len(windows[1]) != 1 {
		t.Fatalf("%+v", windows)
	}
	newest := windows[0]
	if k, open := newest.Unfinished(); !open || k.Window != 5 || newest.IsDone() || newest.Lower().Valid || !newest.ToTheEnd() {
		t.Errorf("%+v, open: %v", k, open)
	}
	if !windows[1].IsDone() {
		t.Error("the older window is done")
	}
}

// The oldest event is found within the probes, wherever it is.
func TestSearchOldest(t *testing.T) {
	const hour = model.Instant(time.Hour / time.Microsecond)
	newest := 20_000 * hour
	for _, oldest := range []model.Instant{newest - 2*hour, newest - 100*hour, newest - 5000*hour, 3 * hour, 0} {
		for _, span := range []model.Instant{0, newest - oldest, (newest - oldest) / 20, 20 * (newest - oldest)} {
			probes := 0
			found := SearchOldest(newest, span, maxProbes, func(at model.Instant) (decode.Page, error) {
				probes++
				if at < oldest {
					return decode.Page{}, dispatch.ErrBoundRefused // as an API does outside of its data
				}
				return decode.Page{Events: []model.Event{{Timestamp: at}}, HasMore: at > oldest}, nil
			})
			off := float64(found.V-oldest) / float64(newest-oldest)
			if probes > maxProbes || found.Valid && (off < 0 || off > 1) {
				t.Errorf("oldest %d, span %d: %+v after %d probes", oldest, span, found, probes)
			}
			if span == newest-oldest && (!found.Valid || off > 0.2) {
				t.Errorf("oldest %d with its span: off by %.2f of it", oldest, off)
			}
		}
	}
	failed := SearchOldest(newest, hour, maxProbes, func(model.Instant) (decode.Page, error) { return decode.Page{}, errors.New("no answer") })
	if failed.Valid {
		t.Errorf("found %v without an answer", failed)
	}
}
