package human_test

import (
	"testing"
	"time"

	"datasync/internal/human"
)

// TestWritten: counts have groups of three digits, and durations have units in words.
func TestWritten(t *testing.T) {
	for want, got := range map[string]string{
		"300,000": human.Thousands(300_000), "-1,000": human.Thousands(-1000), "999": human.Thousands(999),
		"1 page": human.Counted(1, "page"), "2,010 pages": human.Counted(2010, "page"),
		"1 s": human.Span(time.Second), "100 ms": human.Span(100 * time.Millisecond), "1 min": human.Span(time.Minute), "-5 min": human.Span(-5 * time.Minute), "2 d 1 h": human.Span(49 * time.Hour),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
