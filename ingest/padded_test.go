package ingest_test

import (
	"net/http"
	"regexp"
	"testing"

	"datasync/mockserver"
)

// Timestamps with invisible characters around them are valid. Rejects of an older version because of these are resolved
// when their events are read again.
func TestPaddedTimestamps(t *testing.T) {
	// One in ten.
	timestamp := regexp.MustCompile(`"timestamp":"?([0-9T:.-]+7Z?)"?,`)
	inBubble(t, "", mockserver.Options{}, func(b *bench) {
		real := b.opts.Transport
		var as string
		b.rewritten(func(*http.Request) bool { return true },
			func(body string) string { return timestamp.ReplaceAllString(body, as) })
		as = `"timestamp":"$1 or so",`
		if _, err := b.pull(); err != nil || len(b.store.Rejects()) < 100 || len(b.store.Events())+len(b.store.Rejects()) != 2000 {
			b.t.Fatalf("%v, %d events, %d rejects", err, len(b.store.Events()), len(b.store.Rejects()))
		}
		as = `"timestamp":"\ufeff $1\u200b\u0000",`
		b.opts.Restart = true
		if summary := b.mustPull(); summary.Stored < 100 || len(b.store.Rejects()) != 0 {
			b.t.Errorf("%+v, %d rejects", summary.Counts, len(b.store.Rejects()))
		}
		// They are the same events as without.
		b.opts.Transport = real
		if summary := b.mustPull(); summary.Duplicate < 2000 || summary.Conflict != 0 {
			b.t.Errorf("%+v", summary.Counts)
		}
	})
}
