package store_test

import (
	"path/filepath"
	"testing"

	"datasync/internal/store/storetest"
)

func TestContract(t *testing.T) {
	t.Run("DuckDB", func(t *testing.T) {
		storetest.TestContract(t, func(t *testing.T) storetest.Store { return mustOpen(t, filepath.Join(t.TempDir(), "a.duckdb")) })
	})
	t.Run("memory", func(t *testing.T) {
		storetest.TestContract(t, func(*testing.T) storetest.Store { return storetest.NewMemory() })
	})
}
