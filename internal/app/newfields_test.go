package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"
)

// TestNewFields: the summary and the status name a few members without a column, safely for a terminal.
func TestNewFields(t *testing.T) {
	at := time.Date(2026, 1, 27, 19, 25, 3, 0, time.UTC)
	fields := []inspect.NewField{{Name: "region", Events: 1204, FirstSeen: &at}, {Name: "session.os\x1b[2J", Events: 1}}
	r := pullResult{Summary: ingest.Summary{Counts: model.Counts{Stored: 5}}, progress: &ingest.Progress{}, newFields: fields}
	summary := r.text(nil, term.Style{}, 0)
	status := &statusText{}
	status.writeNewFields(fields)
	for _, want := range []struct{ text, line string }{
		{summary, "  new field region in 1,204 events, kept in extra\n"},
		{summary, "  new field session.os\\x1b[2J in 1 event, kept in extra\n"},
		{status.String(), "new field region in 1,204 events since 2026-01-27T19:25:03Z, kept in extra\n"},
		{status.String(), "new field session.os\\x1b[2J in 1 event, kept in extra\n"},
	} {
		if !strings.Contains(want.text, want.line) {
			t.Errorf("%q lacks %q", want.text, want.line)
		}
	}
	for i := range 10 {
		fields = append(fields, inspect.NewField{Name: fmt.Sprint("x", i), Events: 2})
	}
	many := &statusText{}
	many.writeNewFields(fields)
	if n := strings.Count(many.String(), "\n"); n != maxFields+1 || !strings.Contains(many.String(), "7 more: datasync status --json") {
		t.Errorf("%q", many.String())
	}
	if none := (&statusText{}); true {
		none.writeNewFields(nil)
		if none.String() != "" {
			t.Errorf("%q", none.String())
		}
	}
}
