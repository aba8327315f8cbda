package dispatch_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
)

// waitText returns the waits in words, one a line: times in seconds, since began.
func waitText(began time.Time, waits []model.Wait) string {
	var lines []string
	for _, w := range waits {
		lines = append(lines, fmt.Sprintf("%s %s %s x%d at %.0f ordered %.0f actual %.0f idle %.0f", w.Endpoint, w.Reason, w.Answer, w.Count,
			w.Began.Sub(began).Seconds(), w.Ordered.Seconds(), w.Actual.Seconds(), w.Idle.Seconds()))
	}
	return strings.Join(lines, "\n")
}

// idleOf returns the sum of the waits' time without a request.
func idleOf(waits []model.Wait) (sum time.Duration) {
	for _, w := range waits {
		sum += w.Idle
	}
	return sum
}

// TestFactsOfHolds: the time without a request counts for the wait that causes it. Waits that have not ended are
// kept until they do.
func TestFactsOfHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := map[string]int{}
		began := time.Now()
		f := newFixture(t, nil, func(path string) (int, map[string]string, string) {
			calls[path]++
			switch {
			case strings.HasSuffix(path, "/events") && calls[path] == 1:
				return http.StatusTooManyRequests, map[string]string{"Retry-After": "60"}, "{}"
			case strings.HasSuffix(path, "/feed") && calls[path] == 2:
				return http.StatusTooManyRequests, map[string]string{"Retry-After": "20"}, "{}"
			}
			return ok(path)
		})
		if from, err := f.page(t, api.Request{}); err != nil || from != api.Feed {
			t.Errorf("%s, %v", from, err)
		}
		facts := f.TakeFacts()
		if len(facts.Waits) != 0 || len(facts.Refusals) != 1 || facts.Refusals[0].Refused != model.RefusedRate || facts.Refusals[0].Endpoint != api.Events {
			t.Errorf("%+v", facts)
		}
		// The feed opens first.
		if from, err := f.page(t, api.Request{}); err != nil || from != api.Feed {
			t.Errorf("%s, %v", from, err)
		}
		feed := f.TakeFacts()
		last := f.EndFacts()
		got := waitText(began, append(feed.Waits, last.Waits...))
		// Jitter is at most a second, and the pull ends before the events endpoint opens.
		want := []string{"feed rate limit 429 x1 at 0 ordered 20 actual 2", "events rate limit 429 x1 at 0 ordered 60 actual 2"}
		lines := strings.Split(got, "\n")
		for i := range want {
			if i >= len(lines) || !strings.HasPrefix(lines[i], want[i]) {
				t.Errorf("%s\nwant %q", got, want)
			}
		}
		if idle := idleOf(append(feed.Waits, last.Waits...)); idle != f.Counts().Waiting || idle < 20*time.Second {
			t.Errorf("%v idle, the counts say %v", idle, f.Counts().Waiting)
		}
		if again := f.EndFacts(); len(again.Waits)+len(again.Refusals) > 0 {
			t.Errorf("taken twice: %+v", again)
		}
	})
}

// TestFactsOfPauses: pauses between retries count with the failure, and those shorter than a second share a row.
func TestFactsOfPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, ok)
		failure := &api.Error{Endpoint: api.Feed, Status: 502}
		tries := 0
		err := f.Retry(t.Context(), dispatch.Patience{Limit: func() time.Duration { return time.Minute }}, func() (string, error) {
			if tries++; tries == 9 {
				return api.Feed, nil
			}
			return api.Feed, failure
		})
		if err != nil {
			t.Fatal(err)
		}
		facts := f.EndFacts()
		count, short := int64(0), 0
		for _, w := range facts.Waits {
			count += w.Count
			if w.Endpoint != api.Feed || w.Reason != model.WaitRetry || w.Answer != "502" || w.Ordered != 0 || w.Idle != w.Actual {
				t.Errorf("%+v", w)
			}
			if w.Actual < time.Duration(w.Count)*time.Second {
				short++
			}
		}
		if count != 8 || short > 1 || idleOf(facts.Waits) != f.Counts().Waiting {
			t.Errorf("%d pauses: %+v", count, facts.Waits)
		}
		// A permanent failure has no pause.
		err = f.Retry(t.Context(), dispatch.Patience{Limit: func() time.Duration { return time.Minute }}, func() (string, error) {
			return api.Events, api.ErrKeyRefused
		})
		if facts := f.EndFacts(); !errors.Is(err, api.ErrKeyRefused) || len(facts.Waits) != 0 {
			t.Errorf("%v, %+v", err, facts)
		}
	})
}

// TestFactsOfPacedRequests: a request that waits for the limit is one wait, although answers to other requests
// interrupt it.
func TestFactsOfPacedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, began := 3, time.Now()
		f := newFixture(t, map[string]time.Time{api.Feed: time.Now().Add(4 * time.Minute)}, func(path string) (int, map[string]string, string) {
			if time.Since(began) >= time.Minute {
				began, left = began.Add(time.Minute), 3
			}
			left--
			return http.StatusOK, map[string]string{"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": fmt.Sprint(left),
				"X-RateLimit-Reset": fmt.Sprint(int(time.Until(began.Add(time.Minute)).Seconds()))}, page
		})
		for range 4 {
			if from, err := f.page(t, api.Request{}); err != nil || from != api.Events {
				t.Errorf("%s, %v", from, err)
			}
		}
		facts := f.EndFacts()
		paced := 0
		for _, w := range facts.Waits {
			if w.Reason == model.WaitPacing {
				paced++
				if w.Endpoint != api.Events || w.Count != 1 || w.Idle != w.Actual || w.Actual < 50*time.Second || w.Actual > time.Minute+time.Second {
					t.Errorf("%+v", w)
				}
			}
		}
		if paced != 1 || idleOf(facts.Waits) != f.Counts().Waiting || len(facts.Refusals) > 0 {
			t.Errorf("%+v", facts)
		}
	})
}

// TestFactsAreFewRows: many waits and refusals between two batches take few rows, with the same counts and sums.
func TestFactsAreFewRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, map[string]time.Time{api.Feed: time.Now().Add(24 * time.Hour)}, func(path string) (int, map[string]string, string) {
			return http.StatusTooManyRequests, map[string]string{"Retry-After": "2"}, "{}"
		})
		for range 12 {
			if _, err := f.page(t, api.Request{}); !errors.Is(err, dispatch.ErrLimited) {
				t.Fatal(err)
			}
		}
		facts := f.EndFacts()
		waits, refusals := int64(0), int64(0)
		for _, w := range facts.Waits {
			waits += w.Count
		}
		for _, r := range facts.Refusals {
			refusals += r.Count
		}
		counts := f.Counts()
		if refusals != counts.Limited[api.Events] || refusals <= 32 || waits != refusals+1 || len(facts.Waits) > 34 || len(facts.Refusals) > 32 {
			t.Errorf("%d waits in %d rows, %d refusals in %d rows, %d 429s", waits, len(facts.Waits), refusals, len(facts.Refusals), counts.Limited[api.Events])
		}
		if idleOf(facts.Waits) != counts.Waiting {
			t.Errorf("%v idle, the counts say %v", idleOf(facts.Waits), counts.Waiting)
		}
	})
}
