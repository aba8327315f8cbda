package lake

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/position"
	"datasync/lake/rows"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// replace overwrites this origin's rows in one commit.
func (x *exporter) replace(ctx context.Context) error {
	if x.feed.lazy {
		if _, err := x.catalog.Load(ctx, x.feed.name); errors.Is(err, catalog.ErrNoTable) {
			return x.export(ctx)
		}
	}
	if err := x.trust(ctx); err != nil {
		return err
	}
	var tries attempts
	for {
		t, err := x.load(ctx)
		if err != nil {
			return err
		}
		sent, err := x.replaceOnce(ctx, t)
		if err == nil {
			return nil
		}
		if err := tries.again(ctx, x.name(), sent, err); err != nil {
			return err
		}
	}
}

// replaceOnce tries the commit on a loaded table. sent means that err is from the commit, which may have
// succeeded anyway.
func (x *exporter) replaceOnce(ctx context.Context, t *table.Table) (sent bool, err error) {
	st, err := read(ctx, t, x.meta.Origin)
	if err != nil {
		return false, err
	}
	if x.part != nil && st.own != nil && x.landed(st) {
		x.committed(ctx, t, *st.own)
		return false, x.finish(ctx, st)
	}
	s, err := shapeOf(t, x.feed.columns, x.asked(), true)
	if err != nil {
		return false, err
	}
	if x.part == nil || x.part.shape != s.key() {
		x.discard(ctx)
		if err := x.sendAll(ctx, st, s); err != nil {
			return false, err
		}
	}
	if err := x.stillThere(ctx, st); err != nil {
		return false, err
	}
	next, err := x.next(ctx, nil, x.part)
	if err != nil {
		return false, err
	}
	tx, err := x.overwrite(ctx, st, s, next)
	if err != nil {
		return false, err
	}
	x.tried[next.Commit] = true
	committed, err := tx.Commit(ctx)
	if err != nil {
		x.failed(err)
		return true, err
	}
	x.committed(ctx, committed, next)
	if st, err = read(ctx, committed, x.meta.Origin); err != nil {
		return false, err
	}
	if err := position.CheckTable(st.says); err != nil {
		x.opts.Warning("the rows of other origins are not replaced: " + model.Line(err))
	}
	return false, x.finish(ctx, st)
}

// sendAll writes and uploads all batches of the file in parts. It removes each part's local files after the
// upload.
func (x *exporter) sendAll(ctx context.Context, st *state, s *shape) error {
	cuts, err := x.feed.Cuts(ctx, 0, x.checked, x.commitRows())
	if err != nil {
		return err
	}
	whole := &part{upTo: x.checked, shape: s.key()}
	after := int64(0)
	for _, upTo := range cuts {
		p, err := x.send(ctx, st, s, after, upTo)
		if x.part = whole; p != nil {
			whole.files, whole.locations, whole.rows = append(whole.files, p.files...), append(whole.locations, p.locations...), whole.rows+p.rows
		}
		if err != nil {
			return err
		}
		after = upTo
	}
	x.part = whole
	return nil
}

// stillThere checks that the files of a part exist, because a sweep may have removed them during a long
// upload.
func (x *exporter) stillThere(ctx context.Context, st *state) error {
	files, err := catalog.FilesOf(ctx, st.table)
	if err != nil {
		return err
	}
	for _, location := range x.part.locations {
		ok, err := files.Exists(ctx, location)
		if err != nil {
			return err
		}
		if !ok {
			x.discard(ctx)
			return fmt.Errorf("%s was removed before it could be committed; run the export again", location)
		}
	}
	return nil
}

// overwrite stages the deletion of this origin's rows and the addition of the part.
func (x *exporter) overwrite(ctx context.Context, st *state, s *shape, next model.LakePosition) (*table.Transaction, error) {
	remove, err := filesToRemove(ctx, st.table, s, x.meta.Origin)
	if err != nil {
		return nil, err
	}
	tx, summary, err := begin(st, s, next)
	if err != nil {
		return nil, err
	}
	options := []table.WriteOption{table.WithoutDuplicateCheck(), table.WithoutAutoNameMapping()}
	switch {
	case remove.mixed:
		origin := nameOf(s, rows.OriginColumn)
		if err := tx.Delete(ctx, iceberg.EqualTo(iceberg.Reference(origin), x.meta.Origin), nil); err != nil {
			return nil, fmt.Errorf("remove the rows of %s: %w", x.meta.Origin, err)
		}
		err = tx.AddDataFiles(ctx, x.part.files, summary, options...)
	case len(remove.data) == 0:
		err = tx.AddDataFiles(ctx, x.part.files, summary, options...)
	default:
		err = tx.ReplaceFiles(ctx, remove.data, x.part.files, remove.deletes, summary, options...)
	}
	if err != nil {
		return nil, err
	}
	return tx, x.foreignRows(ctx, tx, st, next)
}

// foreignRows refuses a table without positions that would keep rows which no export wrote.
func (x *exporter) foreignRows(ctx context.Context, tx *table.Transaction, st *state, next model.LakePosition) error {
	if len(st.says.Positions) > 0 {
		return nil
	}
	staged, err := tx.StagedTable()
	if err != nil {
		return err
	}
	left, err := rowsOf(ctx, staged.Table)
	if err != nil {
		return err
	}
	says := st.says
	if says.Rows = left - next.Rows; says.Rows != 0 {
		return position.CheckTable(says)
	}
	return nil
}

// removal has the files with rows of one origin.
type removal struct {
	data, deletes []iceberg.DataFile
	// mixed is true if a file has, or may have, rows of several origins.
	mixed bool
}

// filesToRemove finds the files of an origin by their statistics.
func filesToRemove(ctx context.Context, t *table.Table, s *shape, origin string) (removal, error) {
	var r removal
	id, others := s.fields[rows.OriginColumn], false
	err := visitFiles(ctx, t, func(f iceberg.DataFile) error {
		if f.ContentType() != iceberg.EntryContentData {
			r.deletes = append(r.deletes, f)
			return nil
		}
		lower, hasLower := f.LowerBoundValues()[id]
		upper, hasUpper := f.UpperBoundValues()[id]
		switch {
		case hasLower && hasUpper && string(lower) == origin && string(upper) == origin && f.NullValueCounts()[id] == 0:
			r.data = append(r.data, f)
		case hasLower && hasUpper && (string(lower) > origin || string(upper) < origin):
			others = true
		default:
			r.mixed = true
		}
		return nil
	})
	if len(r.deletes) > 0 && (others || r.mixed) {
		return r, fmt.Errorf("table %s: %w: an engine has deleted rows in place; rewrite its files first, with rewrite_data_files in Spark or optimize in Trino", strings.Join(t.Identifier(), "."), position.ErrChanged)
	}
	return r, err
}

// nameOf returns the table's current name of a column.
func nameOf(s *shape, column string) string {
	for _, c := range s.columns {
		if c.Name == column {
			return c.As
		}
	}
	return column
}
