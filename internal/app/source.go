package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"datasync/internal/inspect"
	"datasync/internal/reader"
	"datasync/internal/term"
)

// openSource opens the database, or the copy that a running pull lends, and says so if it is a
// copy. The caller must release the source.
func openSource(ctx context.Context, t term.IO, database string, open func(path string) error) (reader.Source, error) {
	src, err := reader.Open(ctx, database, open)
	if at := src.Copy; at != nil {
		t.Say(fmt.Sprintf("a pull is running: this is the file as of batch %d (%s)", at.Batch, term.Counted(at.Events, "event")))
	}
	return src, err
}

// withFile opens the database read-only and calls do with it, until a signal comes.
func withFile(ctx context.Context, t term.IO, database string, do func(ctx context.Context, db *sql.DB) error) error {
	return withFileIn(ctx, t, database, "UTC", do)
}

// withFileIn is withFile with days and hours in a time zone.
func withFileIn(ctx context.Context, t term.IO, database, timezone string, do func(ctx context.Context, db *sql.DB) error) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	var db *sql.DB
	src, err := openSource(ctx, t, database, func(path string) (err error) {
		db, err = inspect.OpenReadOnly(ctx, path, timezone)
		return err
	})
	if err == nil {
		err = errors.Join(do(ctx, db), db.Close())
		src.Release()
	}
	return orStopped(ctx, err)
}
