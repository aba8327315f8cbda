package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"datasync/internal/dbfile"
)

// Setting is a setting of DuckDB that an instance is opened with.
type Setting struct{ Name, Value string }

// Sandbox returns the settings that keep an instance from anything but its own file: it opens
// no other file, loads no extension and has no network.
func Sandbox() []Setting {
	return append([]Setting{{"enable_external_access", "false"}}, withoutExtensions()...)
}

// ReadOnlySandbox is Sandbox for an instance that does not write.
func ReadOnlySandbox() []Setting { return append([]Setting{readOnly}, Sandbox()...) }

// ReadOnlyUntilRestricted is ReadOnlySandbox without enable_external_access. The caller turns
// that off by SQL once allowed_paths and its like are set, which DuckDB refuses afterwards.
func ReadOnlyUntilRestricted() []Setting { return append([]Setting{readOnly}, withoutExtensions()...) }

var readOnly = Setting{"access_mode", "read_only"}

func withoutExtensions() []Setting {
	return []Setting{
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
		{"allow_community_extensions", "false"},
		{"allow_persistent_secrets", "false"},
	}
}

// Attaching returns the settings of Sandbox for an instance that may attach other files. Only SQL of the
// program itself may run on it.
func Attaching() []Setting { return withoutExtensions() }

// StorageFormat is the format of a new file: DuckDB 1.3 and later read it. It is the first with
// a compression that fits both texts that repeat and texts that do not.
func StorageFormat() Setting { return Setting{"storage_compatibility_version", "v1.3.0"} }

// OpenInstance opens the file with the settings and checks that it can be used. Before that it
// refuses a log or a spill folder that DuckDB must not open. The process must not have the file
// open with other settings: DuckDB would wait forever.
func OpenInstance(ctx context.Context, path string, settings []Setting) (*sql.DB, error) {
	if err := dbfile.CheckNeighbours(path); err != nil {
		return nil, err
	}
	query := url.Values{}
	for _, s := range settings {
		query.Set(s.Name, s.Value)
	}
	db, err := sql.Open("duckdb", path+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// SetTimeZone sets the time zone of all connections. It fails with dbfile.ErrZone.
func SetTimeZone(ctx context.Context, db *sql.DB, timezone string) error {
	_, err := db.ExecContext(ctx, "SET GLOBAL TimeZone = "+Quote(timezone))
	if err != nil && strings.Contains(err.Error(), "Unknown TimeZone") {
		return fmt.Errorf("%w: %q", dbfile.ErrZone, timezone)
	}
	return err
}

// LockDown sets the time zone of all connections and forbids all further settings.
func LockDown(ctx context.Context, db *sql.DB, timezone string) error {
	if err := SetTimeZone(ctx, db, timezone); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "SET GLOBAL lock_configuration = true")
	return err
}

// OpenToWrite opens the file for writing. It waits for processes that read the file now; later
// ones see the lock of the pull and wait for it.
func OpenToWrite(ctx context.Context, path string) (*sql.DB, error) {
	return dbfile.WithLockRetry(ctx, path, func() (*sql.DB, error) { return OpenInstance(ctx, path, Sandbox()) })
}

// Quote returns s as an SQL string literal.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
