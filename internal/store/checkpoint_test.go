package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"datasync/internal/store"
)

// A checkpoint of DuckDB that fails loses no committed event, wherever it fails. That holds for a
// checkpoint of its own and for the one that closes the file. It holds for one within COMMIT, which
// then reports a failure although it has committed. A pull that opens the file again resumes.
func TestCheckpointsThatFail(t *testing.T) {
	undisturbed := filepath.Join(t.TempDir(), "undisturbed.duckdb")
	var committed []string // by the first batch, by the second, by all
	for range 2 {
		s := mustOpen(t, undisturbed)
		mustWalkOn(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		committed = append(committed, mustBeSound(t, undisturbed))
	}
	walkToTheEnd(t, undisturbed)
	want := mustBeSound(t, undisturbed)
	for name, checkpoint := range map[string]func(t *testing.T, s *store.Store) error{
		"that is asked for": func(_ *testing.T, s *store.Store) error {
			_, err := s.DB().Exec("CHECKPOINT")
			return err
		},
		"of a commit": func(t *testing.T, s *store.Store) error {
			if _, err := s.DB().Exec("SET GLOBAL wal_autocheckpoint = '1KB'"); err != nil {
				t.Fatal(err)
			}
			return walkOn(s)
		},
		"of the end": nil,
	} {
		for _, where := range []string{"before_truncate", "before_header", "before_header_non_fatal", "after_free_list_write", "before_wal_finish"} {
			t.Run(name+", "+where, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "new.duckdb")
				s := mustOpen(t, path)
				mustWalkOn(t, s)
				if _, err := s.DB().Exec("PRAGMA debug_checkpoint_abort = '" + where + "'"); err != nil {
					t.Fatal(err)
				}
				now := committed[0]
				if checkpoint != nil {
					if err := checkpoint(t, s); err == nil {
						t.Error("it did not fail")
					}
				}
				if name == "of a commit" {
					now = committed[1]
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(path + ".wal"); err != nil {
					t.Errorf("the log is gone: %v", err)
				}
				if got := mustBeSound(t, path); got != now {
					t.Errorf("%s, want %s", got, now)
				}
				walkToTheEnd(t, path)
				if got := mustBeSound(t, path); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		}
	}
}

func mustWalkOn(t *testing.T, s *store.Store) {
	t.Helper()
	if err := walkOn(s); err != nil {
		t.Fatal(err)
	}
}
