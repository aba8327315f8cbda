package dryrun

import (
	"context"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/shard"
	"datasync/ingest/walk"
	"datasync/internal/model"
)

const (
	// parallel is the number of pages requested in parallel, to measure how much slower each
	// becomes.
	parallel = 3
	// oldestProbes is the number of requests reserved for the search for the oldest event.
	oldestProbes = 2
)

// answered is the page of a request that ran in parallel with others.
type answered struct {
	elements int
	took     time.Duration
	err      error
	// overlaps says that all earlier requests were in flight when this one was sent.
	overlaps bool
}

// inParallel measures how much parallel requests slow down pages. It does so only for a pull that would
// send parallel requests.
func (s *survey) inParallel(ctx context.Context, newest *decode.Page) {
	alone := s.found.Feed
	pages := float64(newest.Total.V) / float64(max(1, alone.Page))
	if s.workers == 0 || s.workers == 1 || alone.Last || !newest.Total.Valid || pages < shard.LeastPages ||
		time.Duration(pages*float64(alone.Took)) < shard.WorthSplitting || s.dispatcher.NeedsToken() ||
		s.dispatcher.Requests()+parallel+oldestProbes > MaxRequests {
		return
	}
	span := max(1, newest.Newest.Timestamp-newest.Oldest.Timestamp)
	results := make(chan answered, parallel)
	sent := 0
	for ; sent < parallel; sent++ {
		if sent > 0 && !pass(ctx, s.dispatcher.Gap(api.Feed)+time.Millisecond) {
			break
		}
		// Pages that were not requested before: otherwise a cache could answer instead of the API.
		req := walk.ByTime(newest.Oldest.Timestamp - model.Instant(sent+1)*span)
		overlaps := len(results) == 0
		go func() {
			began := time.Now()
			p, err := s.send(ctx, req)
			results <- answered{p.Elements, time.Since(began), err, overlaps}
		}()
	}
	slowest, all := time.Duration(0), sent == parallel
	for range sent {
		r := <-results
		if r.err != nil {
			_ = s.failed(ctx, api.Feed, r.err)
		}
		all = all && r.err == nil && r.overlaps && 2*r.elements > alone.Page
		slowest = max(slowest, r.took)
	}
	if all {
		s.found.Slower = max(0, (slowest-alone.Took)/(parallel-1))
	}
}

// send requests a page from the feed.
func (s *survey) send(ctx context.Context, req api.Request) (decode.Page, error) {
	memory := &api.Buffer{}
	defer memory.ReleaseLargeSlot()
	if _, err := s.dispatcher.TryPage(ctx, api.Feed, req, memory); err != nil {
		return decode.Page{}, err
	}
	p, err := memory.Decode(decode.New())
	if err != nil {
		return decode.Page{}, s.client.DecodeError(api.Feed, memory, err)
	}
	s.dispatcher.Succeeded(api.Feed)
	return p, nil
}

// pass waits and reports whether it waited to the end: ctx may end before.
func pass(ctx context.Context, long time.Duration) bool {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
