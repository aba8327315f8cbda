package duck

import "github.com/duckdb/duckdb-go/v2/mapping"

// TimeZones is the release of the time zone database that DuckDB's ICU has. Changes of later releases
// are not in SQL, whatever the system's zone files say.
const TimeZones = "2026d"

// Version returns the version of DuckDB, such as "v1.5.6".
func Version() string { return mapping.LibraryVersion() }
