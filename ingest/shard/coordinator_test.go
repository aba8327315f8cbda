package shard

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/ingest/walk"
	"datasync/internal/model"
)

// books is a Store and an Observer that records its calls.
type books struct {
	mu     sync.Mutex
	notes  []string
	merged chan struct{} // one for each merge
}

func (b *books) note(format string, values ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, fmt.Sprintf(format, values...))
}

func (b *books) Split(_ context.Context, window int64, border model.Instant) (model.Checkpoint, error) {
	b.note("split %d at %d", window, border)
	return model.Checkpoint{Window: window + 10, Begins: instant(border)}, nil
}

func (b *books) Merge(_ context.Context, window int64, shards ...int64) error {
	b.note("merge %v into %d", shards, window)
	b.merged <- struct{}{}
	return nil
}

func (b *books) MergeAndRestart(_ context.Context, window int64, shards ...int64) error {
	b.note("merge %v into %d and restart", shards, window)
	return nil
}

func (b *books) WindowBegun(w Window)     { b.note("window of %d", len(w)) }
func (b *books) ElementsLeft() int64      { return 0 }
func (b *books) Resumed(walk.Way, string) { b.note("restarted") }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// coordinate walks a window by a function instead of requests.
func coordinate(t *testing.T, w Window, walkShard func(b *books, s *Shard) error) (*books, Window, error) {
	t.Helper()
	b := &books{merged: make(chan struct{}, len(w))}
	refuse := roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
	})
	client := api.New(refuse, &url.URL{Scheme: "http", Host: "api.test"}, "ds_test_key", 10)
	dispatcher := dispatch.New(client, dispatch.Options{Persist: nil, Notice: func(string) {}}, quiet{})
	c := NewCoordinator(dispatcher, Options{
		Store: b, Workers: 3,
		WalkShard: func(_ context.Context, s *Shard) error { return walkShard(b, s) },
	}, b)
	done, err := c.Run(t.Context(), w, nil)
	return b, done, err
}

type quiet struct{ dispatch.Observer }

// A shard that cannot be resumed becomes part of the one above, which reads on to its end.
func TestALostShardIsMerged(t *testing.T) {
	lost := make(chan struct{})
	window := Window{
		{Window: 1, Whole: 1, State: model.UnderWay, Pages: 1, Lower: instant(50)},
		{Window: 2, Whole: 1, State: model.UnderWay, Pages: 1, Begins: instant(50), Lower: instant(20)},
	}
	b, done, err := coordinate(t, window, func(b *books, s *Shard) error {
		k := s.Checkpoint()
		if k.Window == 2 {
			close(lost)
			return fmt.Errorf("%w: its cursor has expired", walk.ErrUnreachable)
		}
		<-lost
		<-b.merged // until then it must not end
		k.State = model.Done
		s.Committed(k)
		return nil
	})
	if err != nil || len(done) != 1 || done[0].Window != 1 || done[0].Lower != instant(20) || !done.IsDone() {
		t.Errorf("%+v, %v; %q", done, err, b.all())
	}
}

// If no shard above is left to take over, the window is read again from its newest event.
func TestAnUnreachableShardRestartsTheWindow(t *testing.T) {
	window := Window{
		{Window: 1, Whole: 1, State: model.Done, Pages: 4, Lower: instant(50)},
		{Window: 2, Whole: 1, State: model.UnderWay, Pages: 1, Begins: instant(50), Lower: instant(20), Cursor: "c", FailedRuns: 2},
	}
	runs := 0
	b, done, err := coordinate(t, window, func(_ *books, s *Shard) error {
		k := s.Checkpoint()
		if runs++; runs == 1 {
			return fmt.Errorf("%w: its cursor has expired", walk.ErrUnreachable)
		}
		if k.Window != 1 || k.Cursor != "" || k.Last.Valid || k.State != model.UnderWay || k.Lower != instant(20) {
			t.Errorf("it restarts at %+v", k)
		}
		k.State = model.Done
		s.Committed(k)
		return nil
	})
	want := []string{"window of 2", "restarted", "merge [2] into 1 and restart"}
	if err != nil || !slices.Equal(b.all(), want) || len(done) != 1 || !done.IsDone() {
		t.Errorf("%+v, %v; %q, want %q", done, err, b.all(), want)
	}
}

// Shards of an earlier run that never began go back to the one above, unless that is done.
func TestShardsThatNeverBeganAreMerged(t *testing.T) {
	window := Window{
		{Window: 1, Whole: 1, State: model.UnderWay, Pages: 1, Lower: instant(50)},
		{Window: 2, Whole: 1, State: model.NotBegun, Begins: instant(50), Lower: instant(40)},
		{Window: 3, Whole: 1, State: model.Done, Pages: 2, Begins: instant(40), Lower: instant(30)},
		{Window: 4, Whole: 1, State: model.NotBegun, Begins: instant(30)},
	}
	b, done, err := coordinate(t, window, func(_ *books, s *Shard) error {
		k := s.Checkpoint()
		k.State = model.Done
		s.Committed(k)
		return nil
	})
	if err != nil || len(done) != 3 || done[0].Lower != instant(40) || !done.IsDone() {
		t.Errorf("%+v, %v", done, err)
	}
	if want := []string{"merge [2] into 1", "window of 3"}; !slices.Equal(b.all(), want) {
		t.Errorf("%q, want %q", b.all(), want)
	}
}

// The error of one walk ends the others.
func TestAFailedWalkEndsTheWindow(t *testing.T) {
	failure := fmt.Errorf("%w: no page", walk.ErrNoProgress)
	_, _, err := coordinate(t, Window{{Window: 1, Whole: 1, State: model.UnderWay, Pages: 1}}, func(*books, *Shard) error { return failure })
	if err != failure { //nolint:errorlint // it is passed on as it is
		t.Errorf("%v, want %v", err, failure)
	}
}

func (b *books) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.notes)
}
