package ingest

import (
	"database/sql"
	"testing"
	"time"

	"datasync/ingest/shard"
	"datasync/internal/model"

	"github.com/google/go-cmp/cmp"
)

// TestSourcesAndParts: progress counts elements by endpoint, and says how far each part of the window has got.
func TestSourcesAndParts(t *testing.T) {
	hour := func(n int64) sql.Null[model.Instant] {
		return sql.Null[model.Instant]{V: model.Instant(n) * 3_600_000_000, Valid: true}
	}
	at := func(n int64) sql.Null[model.Position] {
		return sql.Null[model.Position]{V: model.Position{Timestamp: hour(n).V}, Valid: true}
	}
	p := &Progress{}
	p.page(model.Checkpoint{Window: 9, State: model.UnderWay}, "feed", 7) // of a window that is over
	p.WindowBegun(shard.Window{
		{Window: 1, State: model.UnderWay, Upper: hour(10), Lower: hour(5), Last: at(8)}, {Window: 2, Whole: 1, State: model.NotBegun, Begins: hour(5)},
	})
	p.page(model.Checkpoint{Window: 1, State: model.Done, Upper: hour(10), Lower: hour(5), Last: at(5), SinceTop: model.SinceTop{Walked: 40}}, "events", 40)
	p.page(model.Checkpoint{Window: 2, Whole: 1, State: model.UnderWay, Begins: hour(5), Last: at(4), SinceTop: model.SinceTop{Walked: 20}}, "feed", 20)
	now := p.Now()
	if diff := cmp.Diff([]Source{{"events", 40}, {"feed", 27}}, now.Sources); diff != "" {
		t.Error(diff)
	}
	instant := func(n int64) time.Time { return hour(n).V.Time() }
	want := []Part{{Number: 1, Walked: 40, At: instant(5), Done: true, Share: 1}, {Number: 2, Walked: 20, At: instant(4), Share: -1}}
	if diff := cmp.Diff(want, now.Parts); diff != "" {
		t.Error(diff)
	}
}
