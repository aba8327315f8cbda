package lake_test

import (
	"path/filepath"

	"datasync/lake/laketest"

	"github.com/apache/iceberg-go"
)

var text = iceberg.PrimitiveTypes.String

func dir(f laketest.File) string { return filepath.Dir(f.Path) }
