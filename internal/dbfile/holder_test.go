package dbfile

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"datasync/internal/model"
)

func TestHolderNames(t *testing.T) {
	for want, h := range map[string]Holder{
		"process 7 (duckdb)": {PID: 7, Command: "/usr/bin/duckdb"}, "process 7": {PID: 7}, "another process": {PID: -1, Command: "x"},
		"process 8 (python3)": {PID: 8, Command: "python3"},
	} {
		if got := h.Name(); got != want {
			t.Errorf("%+v: %q, want %q", h, got, want)
		}
	}
	for _, tc := range []struct {
		h    Holder
		want bool
	}{
		{Holder{PID: 1 << 30, Command: "/usr/local/bin/datasync"}, true}, {Holder{PID: 1 << 30, Command: "./datasync-old"}, false},
		{Holder{PID: os.Getpid(), Command: "renamed"}, true}, {Holder{PID: 1 << 30, Command: ""}, true},
		{Holder{PID: 1 << 30, Command: "datasync", Writing: true}, false}, {Holder{PID: 1 << 30, Command: "/usr/bin/duckdb"}, false},
	} {
		if got := tc.h.reads(); got != tc.want {
			t.Errorf("%+v: a reader of ours: %v, want %v", tc.h, got, tc.want)
		}
	}
}

// TestLockedTexts: DuckDB's errors name the process and its program.
func TestLockedTexts(t *testing.T) {
	for text, want := range map[string]string{
		`IO Error: Could not set lock on file "a": Conflicting lock is held in /usr/bin/python3.11 (PID 4711) by user root. See also https://duckdb.org`: "process 4711 (python3.11) has it open",
		`IO Error: Could not set lock on file "a": Conflicting lock is held in PID 4711. See also https://duckdb.org`:                                    "process 4711 has it open",
		`IO Error: Could not set lock on file "a": Resource temporarily unavailable`:                                                                     "another process has it open",
	} {
		var e *model.FileError
		if err := Translate("a", errors.New(text)); !errors.As(err, &e) || !errors.Is(err, ErrLocked) || e.Detail != want {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestAwaitLock: the wait for a lock ends with the lock, with the time, with the context, or with
// another error.
func TestAwaitLock(t *testing.T) {
	locked := error(&model.FileError{Kind: ErrLocked, Path: "none", Detail: "another pull is running"})
	other := errors.New("other")
	for _, tc := range []struct {
		what    string
		wait    time.Duration
		until   time.Duration // open fails until then
		fails   error
		cancel  time.Duration // 0 for never
		want    error
		notices int
	}{
		{"free", time.Minute, 0, locked, 0, nil, 0},
		{"freed", time.Minute, 10 * time.Second, locked, 0, nil, 1},
		{"over", time.Minute, time.Hour, locked, 0, ErrLocked, 1},
		{"no wait", 0, time.Hour, locked, 0, ErrLocked, 0},
		{"cancelled", time.Hour, 2 * time.Hour, locked, time.Minute, context.Canceled, 1},
		{"another error", time.Hour, time.Hour, other, 0, other, 0},
	} {
		t.Run(tc.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.cancel > 0 {
					defer time.AfterFunc(tc.cancel, cancel).Stop()
				}
				began, notices := time.Now(), 0
				wait := Wait{For: tc.wait, Notice: func(h *Holder) {
					if notices++; h != nil {
						t.Errorf("%v", h)
					}
				}}
				n, err := AwaitLock(ctx, t.TempDir()+"/none", wait, func() (int, error) {
					if time.Since(began) < tc.until {
						return 0, tc.fails
					}
					return 5, nil
				})
				if !errors.Is(err, tc.want) || (err == nil) != (n == 5) || notices != tc.notices {
					t.Errorf("%d, %v, %d notices", n, err, notices)
				}
				var e *model.FileError
				if errors.As(err, &e) && (e.Detail != "another pull is running" || e.Hint != "close it, or use --wait 10m") {
					t.Errorf("%+v", e)
				}
			})
		})
	}
}
