package inspect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/model"
)

// SchemaVersion is the newest schema that this program knows. The store has a migration to each
// schema from the one before it.
const SchemaVersion = 8

// Application is the value of "application" in table meta of a file of datasync.
const Application = "datasync"

// CheckOurs opens an existing file, checks it and closes it again. It returns the file's schema.
// It opens the file read-only, so that a file of another program stays as it was to the byte. It
// fails with the errors of CheckMeta and CheckIntegrity, and with dbfile.ErrUnreplayed.
func CheckOurs(ctx context.Context, path, origin string) (version int, err error) {
	if err := dbfile.CheckHeader(path); err != nil {
		return 0, err
	}
	db, err := dbfile.WithLockRetry(ctx, path, func() (*sql.DB, error) {
		return duck.OpenInstance(ctx, path, duck.ReadOnlySandbox())
	})
	if err != nil {
		return 0, whyUnreadable(path, err)
	}
	if version, err = CheckMeta(ctx, db, path, origin); err == nil {
		err = CheckIntegrity(ctx, db, path, version)
	}
	return version, errors.Join(err, db.Close())
}

// CheckMeta checks table meta of the file at path and returns the file's schema. It fails with
// dbfile.ErrForeign, dbfile.ErrDamaged or dbfile.ErrNewer, and with dbfile.ErrOrigin if the file
// has events of another origin than the given one; "" is any origin.
func CheckMeta(ctx context.Context, db *sql.DB, path, origin string) (version int, err error) {
	meta, err := ReadMeta(ctx, db)
	if err = dbfile.Translate(path, err); errors.Is(err, dbfile.ErrDamaged) {
		return 0, err
	}
	if err != nil || meta["application"] != Application {
		return 0, &model.FileError{Kind: dbfile.ErrForeign, Path: path, Detail: "it is a DuckDB file of another program", Hint: "name another file with --db"}
	}
	version, err = strconv.Atoi(meta["schema_version"])
	if err != nil || version < 1 {
		return 0, &model.FileError{Kind: dbfile.ErrDamaged, Path: path, Detail: fmt.Sprintf("schema version %q", meta["schema_version"])}
	}
	if version > SchemaVersion {
		return 0, &model.FileError{Kind: dbfile.ErrNewer, Path: path, Hint: "update datasync",
			Detail: fmt.Sprintf("it has schema %d, this program knows up to %d", version, SchemaVersion)}
	}
	if origin == "" || meta["origin"] == origin {
		return version, nil
	}
	// A first pull from a mistyped address leaves a file without pages, which any origin may use.
	var used bool
	if err := db.QueryRowContext(ctx, "SELECT count(*) > 0 FROM page_log").Scan(&used); err != nil || used {
		return 0, &model.FileError{Kind: dbfile.ErrOrigin, Path: path, Hint: "name another file with --db",
			Detail: fmt.Sprintf("it holds the events of %s, not of %s", meta["origin"], origin)}
	}
	return version, nil
}
