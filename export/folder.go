package export

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"datasync/internal/inspect"
	"datasync/internal/outfile"
	"datasync/internal/owned"
)

// toFolder exports to a folder that is new, or takes the place of an older export.
func toFolder(ctx context.Context, opts *Options) (result Result, err error) {
	folder, err := outfile.CreateFolder(opts.Target, outfile.Rules{Force: opts.Force, Keep: opts.Keep}, onlyExported)
	if err != nil {
		return Result{}, err
	}
	m, pull, err := fill(ctx, opts, folder)
	if err == nil {
		err = m.write(folder.Dir(), manifestName)
	}
	if err != nil {
		return Result{}, errors.Join(folder.Explain(err), folder.Abort())
	}
	return m.result(pull), folder.Commit()
}

// fill writes all files of an export to a new folder and returns their manifest.
func fill(ctx context.Context, opts *Options, folder *outfile.Folder) (m manifest, pull Pull, err error) {
	d, err := open(ctx, opts, inspect.ReadOptions{WritableFolder: folder.Path()}, filepath.Dir(opts.Target))
	if err != nil {
		return m, pull, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if pull, err = readPull(ctx, d.Session, opts.Database); err != nil {
		return m, pull, err
	}
	src, err := newSource(ctx, d.Session, opts.Selection, true)
	if err != nil {
		return m, pull, err
	}
	w := newFolderWriter(opts, &d, &src, 1, pull.Batch)
	w.dir, w.place = folder.Dir(), func(_ int, path string) string { return path }
	files, err := w.write(ctx)
	if err != nil {
		return m, pull, err
	}
	m = newManifest(opts, &src, &pull)
	m.add(files)
	return m, pull, nil
}

// folderWriter writes the files of a folder.
type folderWriter struct {
	opts    *Options
	d       *database
	src     *source
	batches [2]int64
	// dir is where files are written, and place says by which path in it, with slashes, the
	// file of that number and path is.
	dir   *owned.Dir
	place func(n int, path string) string
	// columns are the columns of the files, in SQL.
	columns string
	keys    []key
}

func newFolderWriter(opts *Options, d *database, src *source, firstBatch, lastBatch int64) *folderWriter {
	return &folderWriter{opts: opts, d: d, src: src, batches: [2]int64{min(firstBatch, lastBatch), lastBatch}, columns: opts.list(src.columns)}
}

// stem begins the files' names.
func (w *folderWriter) stem() string {
	if w.src.private {
		return "rows"
	}
	return fmt.Sprintf("events-%d-%d", w.batches[0], w.batches[1])
}

// write writes all files and returns them in the order of their paths in the plan.
func (w *folderWriter) write(ctx context.Context) (files []file, err error) {
	if w.keys, err = w.opts.keys(w.src); err != nil {
		return nil, err
	}
	parts, err := readParts(ctx, w.d.Session, w.src, w.keys)
	if err != nil {
		return nil, err
	}
	var rows int64
	for _, p := range parts {
		rows += p.rows
	}
	w.opts.Progress.expect(rows)
	if w.opts.FileSize > 0 && rows > 0 {
		fileRows, err := w.fileRows(ctx)
		if err != nil {
			return nil, err
		}
		if err := cut(ctx, w.d.Session, w.src, w.keys, parts, fileRows); err != nil {
			return nil, err
		}
	}
	if err := w.checkNames(parts); err != nil {
		return nil, err
	}
	files, err = w.writePieces(ctx, w.opts.pieces(parts, w.keys, w.stem()))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		rows -= f.Rows
	}
	if rows != 0 {
		return nil, fmt.Errorf("export: %d rows were not written, or twice", rows)
	}
	return files, nil
}

// checkNames fails where a value is too long for the name of a folder. An export that is added
// to a folder makes the names when nothing can be taken back any more, so they are tried here.
func (w *folderWriter) checkNames(parts []part) error {
	parts = slices.Clone(parts)
	for i, k := range w.keys {
		slices.SortFunc(parts, func(a, b part) int { return len(hiveName(k, b.values[i])) - len(hiveName(k, a.values[i])) })
		var long []sql.NullString
		for _, p := range parts {
			name := hiveName(k, p.values[i])
			tried, err := w.dir.New(name)
			if err == nil {
				err = errors.Join(w.dir.RemoveAll(tried, name), tried.Close())
			}
			if err == nil {
				break // all that follow are shorter
			}
			if !errors.Is(err, syscall.ENAMETOOLONG) {
				return err
			}
			long = append(long, p.values[i])
		}
		if len(long) > 0 {
			return w.tooLong(k, long)
		}
	}
	return nil
}

// tooLong is the error of values that are too long for the name of a folder, with the condition
// that leaves them out.
func (w *folderWriter) tooLong(k key, values []sql.NullString) error {
	shortest := len(values[0].String)
	for _, v := range values {
		shortest = min(shortest, len(v.String))
	}
	way := "--where"
	if w.src.private {
		way = "a WHERE in the query, such as"
	}
	return unfit("a folder cannot have a value of %s in its name that is as long as %q, of %d bytes; partition by something else, or leave such rows out with %s 'coalesce(strlen(CAST(%s AS VARCHAR)), 0) < %d'",
		k.name, brief(values[0].String), len(values[0].String), way, name(k.name), shortest)
}

// writers is how many files are written at once: one alone does not keep two processors
// busy, and each takes memory.
const writers = 2

func (w *folderWriter) writePieces(ctx context.Context, pieces []piece) ([]file, error) {
	files := make([]file, len(pieces))
	type job struct {
		first  int // its place among the pieces
		pieces []piece
	}
	jobs := make(chan job) // unbuffered: a job is begun when a session is free
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(jobs)
		first := 0
		for _, g := range groups(pieces) {
			select {
			case jobs <- job{first, g}:
			case <-ctx.Done():
				return ctx.Err()
			}
			first += len(g)
		}
		return nil
	})
	work := func(s *inspect.Session) error {
		for j := range jobs {
			if err := w.writeGroup(ctx, s, j.pieces, j.first, files[j.first:]); err != nil {
				return err
			}
		}
		return nil
	}
	group.Go(func() error { return work(w.d.Session) })
	if !w.src.private {
		for range min(writers, runtime.NumCPU()) - 1 {
			group.Go(func() error {
				another, err := w.d.Another()
				if err != nil {
					return err
				}
				return errors.Join(work(another), another.Close())
			})
		}
	}
	err := group.Wait()
	return files, err
}

// writeGroup writes files that follow each other. Several are sorted at once.
func (w *folderWriter) writeGroup(ctx context.Context, s *inspect.Session, pieces []piece, first int, files []file) (err error) {
	if len(pieces) == 1 {
		p := pieces[0]
		conditions, bound := w.conditions(p)
		rows := w.src.rows(w.columns, conditions...) + " ORDER BY " + w.src.order
		files[0], err = w.writeFile(ctx, s, first, p, rows, bound)
		return err
	}
	rows, bound := w.slice(pieces)
	if _, err := s.Exec(ctx, "CREATE OR REPLACE TEMP TABLE slice AS "+rows, bound...); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	from := int64(0)
	for i, p := range pieces {
		to := from + p.part.rows
		rows := fmt.Sprintf("SELECT * FROM temp.main.slice WHERE rowid >= %d AND rowid < %d", from, to)
		if files[i], err = w.writeFile(ctx, s, first+i, p, rows, nil); err != nil {
			return err
		}
		if files[i].Rows != p.part.rows {
			return fmt.Errorf("export: %s has %d rows, want %d", p.path, files[i].Rows, p.part.rows)
		}
		from = to
	}
	_, err = s.Exec(ctx, "DROP TABLE temp.main.slice")
	return err
}

// conditions are those that a row is of a file, and the values of their parameters.
func (w *folderWriter) conditions(p piece) (conditions []string, bound values) {
	conditions = w.between(p.first, p.next)
	for i, k := range w.keys {
		conditions = append(conditions, k.value+" IS NOT DISTINCT FROM "+bound.bind(&k, p.part.values[i]))
	}
	return conditions, bound
}

// between are the conditions that a row lies there on the axis.
func (w *folderWriter) between(first, next int64) []string {
	return []string{fmt.Sprintf(w.src.low, first), fmt.Sprintf(w.src.high, next)}
}

// slice is the rows of several files, in the order of the files and then in theirs, and the
// values of its parameters.
func (w *folderWriter) slice(pieces []piece) (rows string, bound values) {
	names, joins := append([]string{"n"}, namesOf(w.keys)...), []string{}
	for i, k := range w.keys {
		joins = append(joins, fmt.Sprintf("%s IS NOT DISTINCT FROM p.k%d", k.value, i))
	}
	var table []string
	first, next := pieces[0].first, pieces[0].next
	for n, p := range pieces {
		row := fmt.Sprint("(", n)
		for i, k := range w.keys {
			row += ", " + bound.bind(&k, p.part.values[i])
		}
		table = append(table, row+")")
		first, next = min(first, p.first), max(next, p.next)
	}
	rows = fmt.Sprintf("SELECT %s FROM %s e JOIN (VALUES %s) p(%s) ON %s WHERE %s ORDER BY p.n, %s", w.columns, w.src.relation,
		strings.Join(table, ", "), strings.Join(names, ", "), allOf(joins...), allOf(append(w.between(first, next), w.src.where)...), w.src.order)
	return rows, bound
}

// writeFile writes rows to a file of its own.
func (w *folderWriter) writeFile(ctx context.Context, s *inspect.Session, n int, p piece, rows string, bound values) (_ file, err error) {
	written, content, err := w.copy(ctx, s, rows, bound, w.place(n, p.path))
	if err != nil {
		return file{}, err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	w.opts.Progress.wrote(written)
	f := file{Path: p.path, Rows: written}
	if !w.src.private {
		f.Batches = &w.batches
	}
	f.Bytes, f.SHA256, err = hash(content)
	return f, err
}

// copy has DuckDB write rows to a new file, which nobody else can read, and returns it open.
// DuckDB opens it by its path: in a folder that was made here, of this user alone, and is
// reached by its descriptor.
func (w *folderWriter) copy(ctx context.Context, s *inspect.Session, rows string, bound values, path string) (n int64, f *os.File, err error) {
	folder, name, err := descend(w.dir, path, (*owned.Dir).Make)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, leave(w.dir, folder)) }()
	if f, err = folder.Create(name); err != nil {
		return 0, nil, err
	}
	d := database{Session: s, parent: w.d.parent}
	n, err = d.Exec(ctx, w.opts.copyTo(rows, filepath.Join(w.dir.Path(), filepath.FromSlash(path))), bound...)
	if err == nil && !folder.Stands(f, name) {
		err = fmt.Errorf("export: %q was replaced while it was written", folder.Name(name))
	}
	if err != nil {
		return 0, nil, errors.Join(err, f.Close())
	}
	return n, f, nil
}

// descend opens the folder in which a path, with slashes, is: a step at a time, as a link on
// the way is refused. The caller closes it by leave.
func descend(from *owned.Dir, path string, step func(*owned.Dir, string) (*owned.Dir, error)) (folder *owned.Dir, name string, err error) {
	folder = from
	names := strings.Split(path, "/")
	for _, name := range names[:len(names)-1] {
		next, err := step(folder, name)
		if err = errors.Join(err, leave(from, folder)); err != nil {
			return nil, "", err
		}
		folder = next
	}
	return folder, names[len(names)-1], nil
}

// leave closes what descend has opened.
func leave(from, folder *owned.Dir) error {
	if folder == from {
		return nil
	}
	return folder.Close()
}

// sampleRows is how many rows are written to see how large they are.
const sampleRows = DefaultRowGroup

// sampleName is the file to which they are written.
const sampleName = "sample.tmp"

// fileRows is how many rows a file of the size that is asked for has.
func (w *folderWriter) fileRows(ctx context.Context) (int64, error) {
	rows, f, err := w.copy(ctx, w.d.Session, w.src.rows(w.columns)+fmt.Sprint(" LIMIT ", sampleRows), nil, sampleName)
	if err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err = errors.Join(err, f.Close(), w.dir.Remove(sampleName)); err != nil {
		return 0, err
	}
	return max(minRowGroup, w.opts.FileSize*rows/max(1, info.Size())), nil
}

// hash returns a file's size in bytes and its SHA-256.
func hash(f io.Reader) (size int64, sum string, err error) {
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", err
	}
	return size, hex.EncodeToString(h.Sum(nil)), nil
}
