package store

import (
	"path/filepath"
	"testing"
)

// The constants of columns are the positions that DuckDB has for columns of these names.
func TestColumnsHaveTheirPositions(t *testing.T) {
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "a.duckdb"), Origin: "http://api.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	event := map[string]int64{
		"id": eventID, "session_id": eventSessionID, "user_id": eventUserID, "type": eventType, "name": eventName, "timestamp": eventTimestamp,
		"properties": eventProperties, "device_type": eventDeviceType, "browser": eventBrowser, "extra": eventExtra,
	}
	incoming := map[string]int64{"n": incomingN}
	for name, at := range event {
		incoming[name] = incomingEvent + at
	}
	event["batch"] = eventBatch
	for table, columns := range map[string]map[string]int64{
		"events": event, "incoming": incoming, "candidates": {"id": candidateID},
		"incoming_rejects": {
			"n": rejectN, "raw": rejectRaw, "reason": rejectReason, "reject_key": rejectKey, "id": rejectID, "timestamp": rejectTimestamp, "endpoint": rejectEndpoint,
		},
		"page_log": {
			"batch": pageBatch, "run": pageRun, "window_id": pageWindow, "endpoint": pageEndpoint, "request_id": pageRequestID,
			"cursor_sent": pageCursorSent, "cursor_received": pageCursorReceived, "first_timestamp": pageFirstTimestamp, "first_id": pageFirstID,
			"last_timestamp": pageLastTimestamp, "last_id": pageLastID, "returned": pageReturned, "stored": pageStored, "duplicate": pageDuplicate,
			"conflict": pageConflict, "rejected": pageRejected, "resumed": pageResumed, "until": pageUntil, "outside": pageOutside, "checksum": pageChecksum,
		},
	} {
		count, err := s.writer.count("SELECT count(*) FROM duckdb_columns() WHERE table_name = '" + table + "'")
		if err != nil || count != int64(len(columns)) {
			t.Errorf("%s has %d columns, want %d; %v", table, count, len(columns), err)
		}
		for name, want := range columns {
			got, err := s.writer.count("SELECT column_index - 1 FROM duckdb_columns() WHERE table_name = '" + table + "' AND column_name = '" + name + "'")
			if err != nil || got != want {
				t.Errorf("%s.%s is column %d, want %d; %v", table, name, got, want, err)
			}
		}
	}
}
