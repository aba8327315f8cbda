package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver
)

// Read reads the Fingerprint of a relation in a DuckDB file: the name of a table, or a query in
// parentheses. It must have the columns id, timestamp (a TIMESTAMPTZ) and type.
func Read(ctx context.Context, file, relation string) (f Fingerprint, err error) {
	db, err := sql.Open("duckdb", file+"?access_mode=read_only")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const terms = `CAST('0x' || left(md5(concat(lower(CAST(id AS VARCHAR)), ' ', epoch_us("timestamp"), ' ', type)), 16) AS UBIGINT)`
	row := db.QueryRowContext(ctx, fmt.Sprintf(
		`SELECT count(*), count(DISTINCT id), CAST(coalesce(sum(%s), 0) AS VARCHAR) FROM %s`, terms, relation))
	return f, row.Scan(&f.Rows, &f.Distinct, &f.Sum)
}

// Version returns the version of the DuckDB that is linked in.
func Version(ctx context.Context) (version string, err error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return version, db.QueryRowContext(ctx, "SELECT version()").Scan(&version)
}
