package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/failpoint"
	"datasync/internal/inspect"
)

//go:embed migrations/*.sql
var migrations embed.FS

// update checks that an existing file is ours and migrates it to inspect.SchemaVersion.
func update(ctx context.Context, path string, opts Options) error {
	version, err := inspect.CheckOurs(ctx, path, opts.Origin)
	if errors.Is(err, dbfile.ErrUnreplayed) && torn.MatchString(err.Error()) {
		// A kill during a checkpoint tore a block.
		if err = repairTorn(ctx, path); err == nil {
			version, err = inspect.CheckOurs(ctx, path, opts.Origin)
		}
	}
	if err != nil || version == inspect.SchemaVersion {
		return err
	}
	db, err := duck.OpenToWrite(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, db, version, opts), db.Close())
}

// create creates the file under another name and renames it when it is complete. So a kill leaves no
// database, or one that is ours.
func create(ctx context.Context, path string, opts Options) error {
	building := path + ".creating"
	remove := func() error { return errors.Join(os.RemoveAll(building), os.RemoveAll(building+".wal")) }
	if err := remove(); err != nil { // a kill may have left some
		return err
	}
	if err := build(ctx, building, opts); err != nil {
		return errors.Join(err, remove())
	}
	if err := os.Rename(building, path); err != nil {
		return err
	}
	return dbfile.SyncFolder(filepath.Dir(path))
}

// build makes a new file with our tables.
func build(ctx context.Context, path string, opts Options) error {
	db, err := duck.OpenInstance(ctx, path, append(duck.Sandbox(), duck.StorageFormat()))
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, db, 0, opts), db.Close())
}

// migrate migrates a database from a schema to inspect.SchemaVersion, in one transaction, and writes the
// log into the file. Schema 0 is an empty database.
func migrate(ctx context.Context, db *sql.DB, from int, opts Options) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	scripts, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	for _, script := range scripts[from:] {
		text, err := migrations.ReadFile("migrations/" + script.Name())
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("migrate by %s: %w", script.Name(), err)
		}
		failpoint.Hit("f13")
	}
	if err := writeMeta(ctx, tx, opts); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	failpoint.Hit("f13")
	failpoint.Soon("f11")
	_, err = db.ExecContext(ctx, "CHECKPOINT")
	return err
}

// writeMeta stores the file's schema, program and DuckDB version in table meta, and the origin of a new
// file.
func writeMeta(ctx context.Context, tx *sql.Tx, opts Options) error {
	var duckdbVersion string
	if err := tx.QueryRowContext(ctx, "SELECT version()").Scan(&duckdbVersion); err != nil {
		return err
	}
	for _, m := range []struct{ key, value string }{
		{"application", inspect.Application},
		{"schema_version", strconv.Itoa(inspect.SchemaVersion)},
		{"tool_version", opts.ToolVersion},
		{"duckdb_version", duckdbVersion},
	} {
		_, err1 := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", m.key)
		_, err2 := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", m.key, m.value)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO meta SELECT 'origin', ? WHERE NOT EXISTS (SELECT 1 FROM meta WHERE key = 'origin')", opts.Origin)
	return err
}
