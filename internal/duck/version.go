package duck

import "github.com/duckdb/duckdb-go/v2/mapping"

// TimeZones is the release of the time zone database in DuckDB's ICU. SQL does not know later
// changes, even if the system's zone files have them.
const TimeZones = "2026d"

// Version returns the version of DuckDB, such as "v1.5.6".
func Version() string { return mapping.LibraryVersion() }
