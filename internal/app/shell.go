package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/outfile"
	"datasync/internal/reader"
	"datasync/internal/shell"
	"datasync/internal/term"
	"datasync/query"
)

// runShell runs the interactive shell.
func runShell(ctx context.Context, opts queryOptions) error {
	opts.query.Shell = true
	err := shell.Run(ctx, shell.Options{
		IO: opts.io, Database: filepath.Base(opts.database), Own: dbfile.FilesOf(opts.database),
		Query: opts.query, Timezone: opts.timezone, Timing: opts.timing,
		Open: func(ctx context.Context, timezone string) (*shell.File, error) {
			return openForShell(ctx, opts.database, timezone)
		},
		Wanted: func() bool {
			path, _, err := dbfile.Resolve(opts.database)
			if err != nil {
				return false
			}
			pulling, err := dbfile.Pulling(path)
			return pulling && err == nil
		},
		Greeting: func(ctx context.Context, f *shell.File) string { return greeting(ctx, opts.database, f) },
		Run: func(ctx context.Context, session *inspect.Session, query query.Options, timing bool, out term.Output) error {
			return statements{opts.io, session, timing, out}.run(ctx, query)
		},
		Page:    opts.page,
		Create:  func(name string) (term.Output, error) { return opts.createOutput(name, outfile.Rules{}) },
		Replace: func(name string) (term.Output, error) { return opts.createOutput(name, outfile.Rules{Force: true}) },
		Explain: errorLine,
	})
	switch {
	case err == nil:
		err = context.Cause(ctx)
	case errors.Is(err, context.Canceled) && ctx.Err() == nil:
		err = signalled{syscall.SIGINT} // Ctrl-C before the first prompt
	}
	return orStopped(ctx, err)
}

// openForShell opens the database, or the copy that a running pull lends.
func openForShell(ctx context.Context, database, timezone string) (*shell.File, error) {
	var session *inspect.Session
	src, err := reader.Open(ctx, database, func(path string) (err error) {
		session, err = inspect.OpenSession(ctx, path, inspect.ReadOptions{Timezone: timezone})
		return err
	})
	if err != nil {
		return nil, err
	}
	f := &shell.File{Session: session, Copy: src.Copy != nil, Close: func() {
		_ = session.Close() // a read-only session has nothing to lose
		src.Release()
	}}
	if f.Edition, err = inspect.ReadEdition(ctx, session.DB()); err != nil && ctx.Err() != nil {
		f.Close()
		return nil, ctx.Err()
	}
	return f, nil // the tables of a file of another schema are still readable
}

// greeting describes the file that the shell reads.
func greeting(ctx context.Context, database string, f *shell.File) string {
	text := term.Visible(filepath.Base(database)) + ", read-only"
	if f.Copy {
		return fmt.Sprintf("%s; a pull is running: %s so far", text, term.Counted(f.Edition.Events, "event"))
	}
	status, err := inspect.ReadStatus(ctx, f.Session.DB(), f.Session.Path(), time.Now())
	switch {
	case errors.Is(err, dbfile.ErrOlder):
		return text + "; of an older version: the next pull brings it up to date"
	case err != nil:
		return text
	case status.Complete && status.CompletedAt != nil:
		return text + "; complete as of " + status.CompletedAt.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s; not complete: %s", text, term.Counted(status.Events, "event"))
}
