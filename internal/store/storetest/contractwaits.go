package storetest

import (
	"context"
	"testing"
	"time"

	"datasync/internal/model"
)

func testNotBefore(t *testing.T, s Store) {
	ctx := context.Background()
	before := time.Now()
	for _, wait := range []time.Duration{time.Second, time.Hour} {
		if err := s.SetNotBefore(ctx, "feed", wait); err != nil {
			t.Fatal(err)
		}
	}
	after := time.Now()
	got, err := s.NotBefore(ctx)
	at := got["feed"]
	if err != nil || len(got) != 1 || at.Before(before.Add(time.Hour).Truncate(time.Microsecond)) || at.After(after.Add(time.Hour)) {
		t.Errorf("%v, %v; want an hour after %v", got, err, before)
	}
}

func testWaitsAreBounded(t *testing.T, s Store) {
	ctx := context.Background()
	if err := s.SetNotBefore(ctx, "events", 500_000*time.Hour); err != nil {
		t.Fatal(err)
	}
	got, err := s.NotBefore(ctx)
	if left := time.Until(got["events"]); err != nil || left > model.LongestWait+time.Minute || left < model.LongestWait-time.Minute {
		t.Errorf("%v, %v; want a day", got, err)
	}
}
