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

// SchemaVersion is the newest schema that this program knows: the number of
// embedded migrations, each of which brings a file from the schema before to its
// own.
const SchemaVersion = 5

// Application is what meta says of a file that is ours.
const Application = "datasync"

// CheckOurs opens an existing file read-only, so that one that is not ours stays
// as it was to the byte, and closes it again. It returns the file's schema.
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

// CheckMeta refuses a file that is not ours, is newer, or is of another origin
// than the one given, if one is. It returns the file's schema.
func CheckMeta(ctx context.Context, db *sql.DB, path, origin string) (version int, err error) {
	meta, err := ReadMeta(ctx, db)
	if err = dbfile.Translate(path, err); errors.Is(err, dbfile.ErrDamaged) {
		return 0, err
	}
	if err != nil || meta["application"] != Application {
		return 0, &model.FileError{Kind: dbfile.ErrForeign, Path: path, Detail: "it is a DuckDB file of something else", Hint: "name another file with --db"}
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
	// What a first pull from a mistyped address left is nobody's.
	var used bool
	if err := db.QueryRowContext(ctx, "SELECT count(*) > 0 FROM page_log").Scan(&used); err != nil || used {
		return 0, &model.FileError{Kind: dbfile.ErrOrigin, Path: path, Hint: "name another file with --db",
			Detail: fmt.Sprintf("it holds the events of %s, not of %s", meta["origin"], origin)}
	}
	return version, nil
}
