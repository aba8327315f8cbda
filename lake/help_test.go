package lake_test

import (
	"path/filepath"

	"datasync/lake/laketest"
)

func dir(f laketest.File) string { return filepath.Dir(f.Path) }
