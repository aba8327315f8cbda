package ingest

import (
	"encoding/json"
	"testing"
	"time"
)

func dateTimeOf(ms int64, layout string) string { return time.UnixMilli(ms).UTC().Format(layout) }

// checkInstant compares parseInstant with the reference. An unquoted text must
// be a JSON number.
func checkInstant(t *testing.T, text string, quoted bool) {
	t.Helper()
	want, ok := refInstant(text, quoted)
	got, read := parseInstant(text, quoted)
	switch {
	case ok != (read != unreadable):
		t.Errorf("parseInstant(%q, %v) = %v, %v; readable for the reference: %v", text, quoted, got, read, ok)
	case ok && want.IsInt64() != (read == readable):
		t.Errorf("parseInstant(%q, %v) = %v, %v; the reference has %v", text, quoted, got, read, want)
	case read == readable && int64(got) != want.Int64():
		t.Errorf("parseInstant(%q, %v) = %v, the reference has %v", text, quoted, int64(got), want)
	}
}

func FuzzParseInstant(f *testing.F) {
	for _, c := range instantCases {
		f.Add(c.text, c.quoted)
	}
	f.Fuzz(func(t *testing.T, text string, quoted bool) {
		if !quoted && (!refIsNumber(json.RawMessage(text)) || !json.Valid([]byte(text)) || first(json.RawMessage(text)) != text[0]) {
			return
		}
		if !quoted && isSpace(text[len(text)-1]) {
			return
		}
		checkInstant(t, text, quoted)
	})
}

var instantCases = []struct {
	name   string
	text   string
	quoted bool
	want   string // RFC 3339, or what became of it
}{
	{"milliseconds", "1769541612369", false, "2026-01-27T19:20:12.369Z"},
}
