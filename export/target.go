package export

import (
	"context"
	"errors"

	"datasync/internal/inspect"
)

// target is where an export goes: a file, a pipe, a new folder, or an addition to a folder. Its
// methods are called by one goroutine, in this order.
//
// A file or folder keeps its old contents until commit has succeeded, and then holds the whole
// export. Only a pipe cannot take back bytes that its reader has received.
type target interface {
	// access says what DuckDB may write, and in which folder it may spill.
	access() (read inspect.ReadOptions, scratch string)
	// write writes the rows of the job, once, while its database is open.
	write(ctx context.Context, j *job) error
	// commit makes the written rows visible and describes them. After an error of commit, and
	// instead of it, the caller calls abort.
	commit() (Result, error)
	// abort removes everything that write wrote. It returns the error that made it necessary,
	// joined with its own, in the words of the user's target.
	abort(err error) error
}

// job has everything that a target needs to write.
type job struct {
	opts *Options
	db   *database
	src  source
	pull Pull
}

// exportTo reads the selection of the options and writes it to a target.
func exportTo(ctx context.Context, opts *Options, to target) (Result, error) {
	pull, err := writeTo(ctx, opts, to)
	var result Result
	if err == nil {
		result, err = to.commit()
	}
	if err != nil {
		return Result{}, to.abort(err)
	}
	result.Pull = pull
	return result, nil
}

// writeTo opens the database for as long as the target writes.
func writeTo(ctx context.Context, opts *Options, to target) (_ Pull, err error) {
	read, scratch := to.access()
	d, err := openDatabase(ctx, opts, read, scratch)
	if err != nil {
		return Pull{}, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	j := job{opts: opts, db: &d}
	if j.pull, err = readPull(ctx, d.session, opts.Database); err != nil {
		return Pull{}, err
	}
	if j.src, err = newSource(ctx, d.session, opts.Selection); err != nil {
		return Pull{}, err
	}
	if err := opts.checkTypes(j.src.columns); err != nil {
		return Pull{}, err
	}
	return j.pull, to.write(ctx, &j)
}

// copyAll has DuckDB write all rows of the job to one path, and returns their number.
func (j *job) copyAll(ctx context.Context, layout *Layout, path string) (int64, error) {
	rows := j.src.rows(layout.list(j.src.columns))
	if layout.Format == Parquet && j.src.sort.order != "" {
		// Readers skip row groups by their statistics. The other formats have none and keep the
		// order of the database, as sorting takes time.
		rows += " ORDER BY " + j.src.sort.order
	}
	defer j.opts.Progress.follow(j.db.session)()
	return j.db.exec(ctx, j.db.session, statement{sql: layout.copyTo(rows, j.src.columns, path)})
}
