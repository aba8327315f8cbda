package query_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"path/filepath"
	"testing"

	"datasync/internal/inspect"
	"datasync/internal/store"
	"datasync/query"
)

var update = flag.Bool("update", false, "write the golden files anew")

// file makes an empty datasync file and returns its path.
func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s, err := store.Open(context.Background(), store.Options{Path: path, Origin: "http://api.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path, zone string) *inspect.Session {
	t.Helper()
	s, err := inspect.OpenSession(context.Background(), path, inspect.ReadOptions{Timezone: zone})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask runs SQL on a session and returns the output.
func ask(t *testing.T, s *inspect.Session, opts query.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := query.Run(t.Context(), s, opts, &b); err != nil {
		t.Fatalf("%s: %v", opts.SQL, err)
	}
	return b.String()
}

// failing fails after that many bytes.
type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}
