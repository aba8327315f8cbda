package rivals

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver
)

// pageColumns names the columns of a page for read_json, so that it need not detect them. It reads
// no others.
const pageColumns = `{data: 'STRUCT(id UUID, "sessionId" UUID, "userId" UUID, "type" VARCHAR, name VARCHAR, properties JSON, "timestamp" VARCHAR, ` +
	`session STRUCT("deviceType" VARCHAR, browser VARCHAR))[]'}`

// insertEvents makes rows of datasync's table of pages on disk. A plain CAST would fail on
// the other shape of timestamp: DuckDB casts before it looks at the condition.
const insertEvents = `INSERT INTO events SELECT e.id, e."sessionId", e."userId", e.type, e.name,
	CASE WHEN contains(e."timestamp", '-') THEN TRY_CAST(e."timestamp" AS TIMESTAMPTZ)
		ELSE make_timestamptz(TRY_CAST(e."timestamp" AS BIGINT) * 1000) END,
	e.properties, e.session."deviceType", e.session.browser, NULL, 1
	FROM (SELECT unnest(data) AS e FROM read_json(%s, columns = %s%s))`

// ReadJSONWay is a way to use read_json.
type ReadJSONWay struct {
	Name string
	// Settings are statements that come first, Options more arguments of read_json.
	Settings []string
	Options  string
}

// ReadJSONDefaults is how read_json is used by who gives the types and leaves the rest as
// it is.
const ReadJSONDefaults = "defaults"

// ReadJSONWays returns the ways, of which the fastest is a rival. All use every core.
// Without records = true DuckDB looks through the pages first, in spite of the columns, which
// in one large file takes longer than all else. Buffers are twice maximum_object_size.
func ReadJSONWays() []ReadJSONWay {
	anyOrder := []string{"SET preserve_insertion_order = false"}
	const told = ", format = 'newline_delimited', records = true"
	return []ReadJSONWay{
		{Name: ReadJSONDefaults},
		{Name: "records told", Options: told},
		{Name: "records told, any order", Options: told, Settings: anyOrder},
		{Name: "records told, any order, 4 MB", Options: told + ", maximum_object_size = 4194304", Settings: anyOrder},
	}
}

// FindReadJSONWay returns a way by its name.
func FindReadJSONWay(name string) (ReadJSONWay, error) {
	var names []string
	for _, way := range ReadJSONWays() {
		if way.Name == name {
			return way, nil
		}
		names = append(names, way.Name)
	}
	return ReadJSONWay{}, fmt.Errorf("no way %q to use read_json: want one of %s", name, strings.Join(names, "; "))
}

// ReadJSON stores pages on disk, a file each, in a DuckDB file by DuckDB's own read_json. Another
// program has to download the pages first.
func ReadJSON(ctx context.Context, pattern, file string, way ReadJSONWay) (err error) {
	db, err := sql.Open("duckdb", file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	statements := append([]string{"SET TimeZone = 'UTC'"}, way.Settings...)
	statements = append(statements, createEvents, fmt.Sprintf(insertEvents, quote(pattern), pageColumns, way.Options))
	db.SetMaxOpenConns(1) // settings of a connection must meet the statements
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// quote makes an SQL string of a text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
