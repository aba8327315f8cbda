package storetest

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"datasync/internal/model"

	"github.com/google/uuid"
)

func testWindows(t *testing.T, s Store) {
	if windows, err := s.Windows(context.Background()); err != nil || len(windows) != 0 {
		t.Fatalf("%v, %v; want none", windows, err)
	}
	first := mustOpenWindow(t, s)
	first.Upper = sql.Null[model.Instant]{V: Event(0).Timestamp, Valid: true}
	last := Event(9)
	first.Last = sql.Null[model.Position]{V: last.Position(), Valid: true}
	first.Total = sql.Null[int64]{V: 3_000_000, Valid: true}
	first.CursorExpiresAt = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	first.Pages, first.Events, first.Walked, first.Unordered = 1, 10, 11, true
	first.PageTotal, first.CursorBefore = sql.Null[int64]{V: 2_999_999, Valid: true}, sql.Null[string]{V: "before", Valid: true}
	first.Copies, first.RanOut = 3, true
	mustCommit(t, s, first, pageOf(0, 10))
	second, err := s.OpenWindow(context.Background(), sql.Null[model.Instant]{V: 7, Valid: true}, sql.Null[model.Instant]{V: 5, Valid: true})
	if err != nil {
		t.Fatal(err)
	}
	first.State, first.Cursor = model.UnderWay, "next"
	windows, err := s.Windows(context.Background())
	if err != nil || len(windows) != 2 {
		t.Fatalf("%v, %v; want two", windows, err)
	}
	if windows[0] != second || second.State != model.NotBegun || second.Window <= first.Window {
		t.Errorf("the newest is %+v, want %+v", windows[0], second)
	}
	if !windows[1].CursorExpiresAt.Equal(first.CursorExpiresAt) {
		t.Errorf("expires at %v", windows[1].CursorExpiresAt)
	}
	windows[1].CursorExpiresAt = first.CursorExpiresAt
	if windows[1] != first {
		t.Errorf("the first is %+v, want %+v", windows[1], first)
	}
}

func testNeverBegun(t *testing.T, s Store) {
	mustCommit(t, s, mustOpenWindow(t, s), pageOf(0, 3))
	mustOpenWindow(t, s)
	border := sql.Null[model.Instant]{V: 7, Valid: true}
	k, err := s.OpenWindow(context.Background(), border, border)
	if err != nil || k.Window != 2 {
		t.Errorf("%+v, %v", k, err)
	}
	if windows, err := s.Windows(context.Background()); err != nil || len(windows) != 2 || windows[0] != k || windows[1].State != model.UnderWay {
		t.Errorf("%+v, %v", windows, err)
	}
}

func testShards(t *testing.T, s Store) {
	ctx := context.Background()
	mustCommit(t, s, mustOpenWindow(t, s), pageOf(900, 903))
	k, err := s.OpenWindow(ctx, sql.Null[model.Instant]{V: 5, Valid: true}, sql.Null[model.Instant]{V: 5, Valid: true})
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, k, pageOf(0, 10))
	// The second shard is between the window and the first shard.
	low, err1 := s.Split(ctx, k.Window, 3000)
	mid, err2 := s.Split(ctx, k.Window, 7000)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	first := Event(500)
	low.First, low.Last, low.Pages = sql.Null[model.Position]{V: first.Position(), Valid: true}, sql.Null[model.Position]{V: first.Position(), Valid: true}, 1
	mustCommit(t, s, low, pageOf(500, 501))
	// A commit with a checkpoint from before the split keeps the border.
	k.State = model.Done
	if _, err := s.CommitBatch(ctx, model.Batch{Run: uuid.Max, Pages: []model.Page{pageOf(10, 12)}, Checkpoint: k}); err != nil {
		t.Fatal(err)
	}
	at := func(i model.Instant) sql.Null[model.Instant] { return sql.Null[model.Instant]{V: i, Valid: true} }
	expect := func(want ...model.Checkpoint) {
		t.Helper()
		got, err := s.Windows(ctx)
		if err != nil || len(got) != len(want)+1 {
			t.Fatalf("%+v, %v", got, err)
		}
		for i, w := range want {
			g := got[i]
			if g.Window != w.Window || g.Whole != k.Window || g.State != w.State || g.Begins != w.Begins || g.Lower != w.Lower || g.StartBound != k.StartBound || g.First != w.First || g.Cursor != w.Cursor {
				t.Errorf("%d: %+v, want %+v", i, g, w)
			}
		}
	}
	low.State, low.Cursor = model.UnderWay, "next"
	k.Lower = at(7000)
	mid.Lower = at(3000)
	expect(k, mid, low)
	// OpenWindow does not replace a shard of which nothing is stored.
	if !low.IsShard() || mid.NeverBegun() || k.IsShard() || k.ToTheEnd() || !low.ToTheEnd() {
		t.Errorf("%+v, %+v, %+v", k, mid, low)
	}
	if err := s.Merge(ctx, mid.Window, low.Window); err != nil {
		t.Fatal(err)
	}
	mid.Lower = at(5)
	expect(k, mid)
	if err := s.MergeAndRestart(ctx, k.Window, mid.Window); err != nil {
		t.Fatal(err)
	}
	k.State, k.Lower = model.UnderWay, at(5)
	expect(k)
	if windows, err := s.Windows(ctx); err != nil || windows[0].Last.Valid || windows[0].Upper.Valid || windows[0].Walked != 0 {
		t.Errorf("%+v, %v", windows, err)
	}
	if err := s.Merge(ctx, 99, 98); err == nil {
		t.Error("merged into nothing")
	}
}

func testNoWindow(t *testing.T, s Store) {
	if _, err := s.CommitBatch(context.Background(), model.Batch{Checkpoint: model.Checkpoint{Window: 3, State: model.UnderWay}}); err == nil {
		t.Error("stored without a window")
	}
}

func testWholeWalk(t *testing.T, s Store) {
	mustCommit(t, s, mustOpenWindow(t, s), pageOf(0, 3))
	whole := mustOpenWindow(t, s)
	whole.State = model.Done
	if _, err := s.CommitBatch(context.Background(), model.Batch{Pages: []model.Page{pageOf(0, 9)}, Checkpoint: whole}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finalize(context.Background(), uuid.Max, whole.Window); err != nil {
		t.Fatal(err)
	}
	windows, err := s.Windows(context.Background())
	if err != nil || len(windows) != 2 || windows[0].State != model.Done || windows[1].State != model.Done || windows[1].Cursor != "" {
		t.Errorf("%+v, %v", windows, err)
	}
}

func testFailRun(t *testing.T, s Store) {
	ctx := context.Background()
	k := mustOpenWindow(t, s)
	mustCommit(t, s, k, pageOf(0, 3))
	for want := int64(1); want <= 2; want++ {
		if err := s.FailRun(ctx, k.Window); err != nil {
			t.Fatal(err)
		}
		if windows, err := s.Windows(ctx); err != nil || windows[0].FailedRuns != want {
			t.Errorf("%+v, %v; want %d failed runs", windows, err, want)
		}
	}
	mustCommit(t, s, k, pageOf(3, 6))
	if windows, err := s.Windows(ctx); err != nil || windows[0].FailedRuns != 0 {
		t.Errorf("%+v, %v; want no failed runs", windows, err)
	}
}
