package decode

import (
	"fmt"
	"testing"

	"datasync/internal/model"
)

// TestAroundATimestamp: invisible characters around a timestamp leave the instant certain. Characters within it, and
// visible ones, do not.
func TestAroundATimestamp(t *testing.T) {
	const event = `{"id":"6c1a50b3-0000-4000-8000-000000000001","sessionId":"6c1a50b3-0000-4000-8000-000000000002","userId":"6c1a50b3-0000-4000-8000-000000000003",` +
		`"type":"click","name":"event_1","properties":{},"timestamp":"%s","session":{"id":"6c1a50b3-0000-4000-8000-000000000002","deviceType":"mobile","browser":"Edge"}}`
	read := func(text string) (model.Instant, string) {
		t.Helper()
		p, err := New().Decode(`{"data":[`+fmt.Sprintf(event, text)+`],"hasMore":false}`, nil)
		switch {
		case err != nil:
			t.Fatalf("%q: %v", text, err)
		case len(p.Rejects) > 0:
			return 0, p.Rejects[0].Reason
		}
		return p.Events[0].Timestamp, ""
	}
	const want = model.Instant(1769541612369_000)
	around := []string{" ", `\t`, `\r\n`, `\u0000`, `\u001f`, "\x7f", "\u0085", "\u00a0", "\u00ad", "\u1680", "\u2009", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f",
		"\u2028", "\u2029", "\u202f", "\u2060", "\u3000", "\ufeff", `\ufeff\u200B \u2060`}
	for _, text := range []string{"1769541612369", "2026-01-27T19:20:12.369Z", "2026-01-27T20:20:12.369+01:00"} {
		for _, a := range around {
			for _, written := range []string{a + text, text + a, a + a + text + a} {
				if at, reason := read(written); at != want || reason != "" {
					t.Errorf("%q: %d %s", written, at, reason)
				}
			}
			if _, reason := read(text[:4] + a + text[4:]); reason != reasonBadTimestamp {
				t.Errorf("%q within: %s", a, reason)
			}
		}
		for _, a := range []string{"_", "x", "\u0301", "\ufffd", `\"`, "+"} {
			if _, reason := read(a + text); reason != reasonBadTimestamp {
				t.Errorf("%q before: %s", a, reason)
			}
		}
	}
	for _, text := range []string{" ", `\u200b`, `\ufeff\t`} {
		if _, reason := read(text); reason != reasonBadTimestamp {
			t.Errorf("%q alone: %s", text, reason)
		}
	}
}
