package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"datasync/internal/human"
	"datasync/internal/inspect"
	"datasync/internal/owned"

	"golang.org/x/sync/errgroup"
)

// folderWriter writes the files of a folder that no other process reads yet.
type folderWriter struct {
	job *job
	dir *owned.Dir
	// escaping is that of the folders' names.
	escaping escaping
	// batches are the first and the last commit of which events may be in the files.
	batches [2]int64
	// pathInDir returns the path in dir, with slashes, of a file by its index and its path in
	// the plan.
	pathInDir func(index int, path string) string
	// added are the files of the folder to which the new ones are added, nil if there are none.
	added []manifestFile
}

// write plans the files, writes them and returns them in the order of the plan.
func (w *folderWriter) write(ctx context.Context) ([]manifestFile, error) {
	plan, rows, err := w.plan(ctx)
	if err != nil {
		return nil, err
	}
	files, err := w.writeAll(ctx, &plan)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		rows -= f.Rows
	}
	if rows != 0 {
		return nil, fmt.Errorf("export: the files hold %s less than the plan", human.Counted(rows, "row"))
	}
	return files, nil
}

// plan reads what the plan depends on, makes it, and returns it with the number of all rows.
func (w *folderWriter) plan(ctx context.Context) (plan folderPlan, rows int64, err error) {
	j, s := w.job, w.job.db.session
	keys, err := j.opts.partitionKeys(&j.src)
	if err != nil {
		return plan, 0, err
	}
	partitions, err := readPartitions(ctx, s, &j.src, keys)
	if err != nil {
		return plan, 0, err
	}
	names := folderNames{w.escaping, &j.src, j.opts.Where, keys, partitions, w.added}
	if err := names.check(w.dir); err != nil {
		return plan, 0, err
	}
	var largest int64
	for _, p := range partitions {
		rows, largest = rows+p.rows, max(largest, p.rows)
	}
	j.opts.Progress.expect(rows)
	if j.opts.FileSize > 0 && rows > 0 {
		fileRows, err := w.measure(ctx)
		if err != nil {
			return plan, 0, err
		}
		if largest > fileRows {
			samples, err := readSamples(ctx, s, &j.src, keys, fileRows)
			if err != nil {
				return plan, 0, err
			}
			cutAll(partitions, samples, fileRows)
		}
	}
	return planFolder(&j.opts.Layout, &j.src, w.escaping, keys, partitions, w.prefix()), rows, nil
}

// prefix begins the names of the files. Those of another addition have other batches.
func (w *folderWriter) prefix() string {
	if w.job.src.isQuery {
		return "rows"
	}
	return fmt.Sprintf("events-%d-%d", w.batches[0], w.batches[1])
}

const (
	// sampleRows is how many rows are written to measure their size.
	sampleRows = DefaultRowGroup
	sampleName = "sample.tmp"
)

// measure writes a sample and returns how many rows a file of the size in the options has.
func (w *folderWriter) measure(ctx context.Context) (int64, error) {
	j := w.job
	sample := statement{sql: j.src.rows(j.opts.list(j.src.columns)) + fmt.Sprint(" LIMIT ", sampleRows)}
	rows, f, err := w.copy(ctx, j.db.session, sample, sampleName)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close(), w.dir.Remove(sampleName)); err != nil {
		return 0, err
	}
	return max(minRowGroup, j.opts.FileSize*rows/max(1, info.Size())), nil
}

// writers is how many files are written at once: one alone does not keep two processors busy,
// and each takes memory.
const writers = 2

// writeAll writes the groups of the plan, one session each.
func (w *folderWriter) writeAll(ctx context.Context, plan *folderPlan) ([]manifestFile, error) {
	files := make([]manifestFile, len(plan.files))
	groups := make(chan fileGroup) // unbuffered: a free session takes the next group
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error {
		defer close(groups)
		for _, g := range plan.groups() {
			select {
			case groups <- g:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	work := func(s *inspect.Session) error {
		for g := range groups {
			if err := w.writeGroup(ctx, s, plan, g, files[g.first:]); err != nil {
				return err
			}
		}
		return nil
	}
	tasks.Go(func() error { return work(w.job.db.session) })
	if !w.job.src.isQuery { // other sessions do not see the query's temporary table
		for range min(writers, runtime.NumCPU()) - 1 {
			tasks.Go(func() error {
				another, err := w.job.db.session.Another()
				if err != nil {
					return err
				}
				return errors.Join(work(another), another.Close())
			})
		}
	}
	err := tasks.Wait()
	return files, err
}

// writeGroup writes the files of a group. Several are sorted at once, in a temporary table.
func (w *folderWriter) writeGroup(ctx context.Context, s *inspect.Session, plan *folderPlan, g fileGroup, files []manifestFile) (err error) {
	if len(g.files) == 1 {
		files[0], err = w.writeFile(ctx, s, g.first, g.files[0].path, plan.rowsOf(&g.files[0]))
		return err
	}
	sorted := plan.rowsOfGroup(&g)
	if _, err := s.Exec(ctx, "CREATE OR REPLACE TEMP TABLE slice AS "+sorted.sql, sorted.args...); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	from := int64(0)
	for i, f := range g.files {
		to := from + f.partition.rows
		rows := fmt.Sprintf("SELECT * FROM temp.main.slice WHERE rowid >= %d AND rowid < %d", from, to)
		if files[i], err = w.writeFile(ctx, s, g.first+i, f.path, statement{sql: rows}); err != nil {
			return err
		}
		if files[i].Rows != f.partition.rows {
			return fmt.Errorf("export: %s has %s, want %s", f.path, human.Counted(files[i].Rows, "row"), human.Thousands(f.partition.rows))
		}
		from = to
	}
	_, err = s.Exec(ctx, "DROP TABLE temp.main.slice")
	return err
}

// writeFile writes rows to a file and describes it for the manifest.
func (w *folderWriter) writeFile(ctx context.Context, s *inspect.Session, index int, path string, rows statement) (_ manifestFile, err error) {
	written, content, err := w.copy(ctx, s, rows, w.pathInDir(index, path))
	if err != nil {
		return manifestFile{}, err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	w.job.opts.Progress.wrote(written)
	f := manifestFile{Path: path, Rows: written}
	if !w.job.src.isQuery {
		f.Batches = &w.batches
	}
	f.Bytes, f.SHA256, err = hash(content)
	return f, err
}

// copy has DuckDB write rows to a new file with mode 0600 and returns it open. DuckDB opens the
// file by its path, which goes through the folder's descriptor: only this user can change what
// that path leads to.
func (w *folderWriter) copy(ctx context.Context, s *inspect.Session, rows statement, path string) (n int64, f *os.File, err error) {
	folder, name, err := descend(w.dir, path, (*owned.Dir).Make)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, leave(w.dir, folder)) }()
	if f, err = folder.Create(name); err != nil {
		return 0, nil, err
	}
	rows.sql = w.job.opts.copyTo(rows.sql, w.job.src.columns, filepath.Join(w.dir.Path(), filepath.FromSlash(path)))
	n, err = w.job.db.exec(ctx, s, rows)
	if err == nil && !folder.Holds(f, name) {
		err = fmt.Errorf("export: %q was replaced while it was written", folder.Name(name))
	}
	if err != nil {
		return 0, nil, errors.Join(err, f.Close())
	}
	return n, f, nil
}
