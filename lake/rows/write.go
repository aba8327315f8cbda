package rows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"datasync/internal/duck"
	"datasync/internal/inspect"

	"golang.org/x/sync/errgroup"
)

const (
	// rowGroup is the number of rows in a Parquet row group.
	rowGroup = 122_880
	// writers is the number of files written in parallel. One does not use two processors, and each takes
	// memory.
	writers = 2
)

// Write writes the events of a part to Parquet files in the staging folder, sorted by timestamp and id. It
// returns the files in the order of time. It fails with ErrColumn and ErrInfinite. After a failure the
// folder may have some files.
func (s *Source) Write(ctx context.Context, part Part) ([]File, error) {
	list, ids, err := part.expressions(eventKinds, s.Meta().Origin)
	if err != nil {
		return nil, err
	}
	if err := s.checkFinite(ctx, &part); err != nil {
		return nil, err
	}
	w := &writer{source: s, part: part, from: "main.events e", where: part.condition("e.batch"), order: `e."timestamp", e.id`, list: list, ids: ids, by: byTime}
	return w.write(ctx)
}

func (s *Source) checkFinite(ctx context.Context, part *Part) error {
	var infinite int64
	err := s.session.QueryRow(ctx, `SELECT count(*) FROM events e WHERE e."timestamp" IN ('infinity'::TIMESTAMPTZ, '-infinity'::TIMESTAMPTZ) AND `+part.condition("e.batch"), nil, &infinite)
	switch {
	case err != nil:
		return s.failed(err)
	case infinite > 0:
		return fmt.Errorf("database %q: %w: %d events have this instant; delete them, or set their timestamp", s.opts.Name, ErrInfinite, infinite)
	}
	return nil
}

// writer writes the rows of a relation with the alias e.
type writer struct {
	source *Source
	part   Part
	// from, where and order are SQL clauses for the rows.
	from, where, order string
	// list is the SELECT list of the files, and ids are the field ids.
	list, ids string
	// by divides the rows into files, in the sort order.
	by key
	// reporting guards the part's Wrote.
	reporting sync.Mutex
}

// task is a group and the index of its first file.
type task struct {
	group group
	first int
}

func (w *writer) write(ctx context.Context) ([]File, error) {
	plan, err := w.plan(ctx)
	if err != nil {
		return nil, err
	}
	count := 0
	for _, g := range plan {
		count += len(g)
	}
	files := make([]File, count)
	tasks := make(chan task) // unbuffered: a free session takes the next group
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error {
		defer close(tasks)
		first := 0
		for _, g := range plan {
			select {
			case tasks <- task{g, first}:
			case <-ctx.Done():
				return ctx.Err()
			}
			first += len(g)
		}
		return nil
	})
	work := func(s *inspect.Session) error {
		for t := range tasks {
			if err := w.writeGroup(ctx, s, t, files); err != nil {
				return w.source.failed(err)
			}
		}
		return nil
	}
	all.Go(func() error { return work(w.source.session) })
	for range min(writers, runtime.NumCPU(), len(plan)) - 1 {
		all.Go(func() error {
			another, err := w.source.session.Another()
			if err != nil {
				return err
			}
			return errors.Join(work(another), another.Close())
		})
	}
	return files, all.Wait()
}

// writeGroup writes the files of a group. It sorts several files at once in a temporary table.
func (w *writer) writeGroup(ctx context.Context, s *inspect.Session, t task, files []File) error {
	if len(t.group) == 1 {
		p := t.group[0]
		rows := fmt.Sprintf("SELECT %s FROM %s WHERE %s AND %s ORDER BY %s", w.list, w.from, w.where, w.by.between(p.first, p.last), w.order)
		return w.writeFile(ctx, s, rows, p, t.first, &files[t.first])
	}
	all := w.by.between(t.group[0].first, t.group[len(t.group)-1].last)
	sorted := fmt.Sprintf("CREATE OR REPLACE TEMP TABLE slice AS SELECT e.* FROM %s WHERE %s AND %s ORDER BY %s", w.from, w.where, all, w.order)
	if _, err := s.Exec(ctx, sorted); err != nil {
		return err
	}
	begin := int64(0)
	for i, p := range t.group {
		rows := fmt.Sprintf("SELECT %s FROM temp.main.slice e WHERE e.rowid >= %d AND e.rowid < %d", w.list, begin, begin+p.rows)
		if err := w.writeFile(ctx, s, rows, p, t.first+i, &files[t.first+i]); err != nil {
			return err
		}
		begin += p.rows
	}
	_, err := s.Exec(ctx, "DROP TABLE temp.main.slice")
	return err
}

// writeFile writes the rows of a piece, which a query returns, to a file.
func (w *writer) writeFile(ctx context.Context, s *inspect.Session, rows string, p piece, n int, file *File) error {
	if w.part.PartitionBy != Unpartitioned {
		days := daysOf(p.first)
		file.Day, file.Days = dayName(days), int32(days)
	}
	name := fmt.Sprintf("%d.parquet", n)
	if w.part.Name != nil {
		name = w.part.Name(file.Day, n)
	}
	file.Path = filepath.Join(w.source.opts.Staging, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file.Path), 0o700); err != nil {
		return err
	}
	var err error
	file.Rows, err = s.Exec(ctx, fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, ROW_GROUP_SIZE %d, COMPRESSION zstd, USE_TMP_FILE false, FIELD_IDS %s)",
		rows, duck.Quote(file.Path), rowGroup, w.ids))
	if err != nil {
		return err
	}
	if file.Rows != p.rows {
		return fmt.Errorf("%s has %d rows, want %d", name, file.Rows, p.rows)
	}
	info, err := os.Stat(file.Path)
	if err != nil {
		return err
	}
	file.Bytes = info.Size()
	if w.part.Wrote != nil {
		w.reporting.Lock()
		defer w.reporting.Unlock()
		w.part.Wrote(file.Rows)
	}
	return nil
}
