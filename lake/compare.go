package lake

import (
	"context"
	"errors"
	"fmt"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/position"
)

// agree compares a table with the file.
func (x *exporter) agree(ctx context.Context, st *state) error {
	f := x.file()
	if err := position.CheckTable(st.says); err != nil {
		return err
	}
	if err := position.CheckFile(st.says, f); err != nil {
		return err
	}
	if st.own == nil || x.last != nil && *x.last == *st.own {
		return nil
	}
	if st.own.Batch > x.checked {
		return nil // a newer copy of the file was exported: this one lacks the batches to compare
	}
	rows, checksum, err := x.feed.UpTo(ctx, st.own.Batch)
	if err != nil {
		return err
	}
	if err := position.CheckRows(st.says, f, *st.own, rows, checksum); err != nil {
		return err
	}
	x.last = st.own
	return nil
}

func (x *exporter) file() position.File {
	return position.File{Name: x.run.plan.Name, Origin: x.meta.Origin, Lineage: x.meta.Lineage, Last: x.checked}
}

// finish fills in the result from an up-to-date table.
func (x *exporter) finish(ctx context.Context, st *state) error {
	if x.part != nil {
		x.discard(ctx)
	}
	r := &x.result
	r.Table, r.Location, r.Metadata = x.name(), st.table.Location(), st.table.MetadataLocation()
	if head := st.table.CurrentSnapshot(); head != nil {
		r.Snapshot = &head.SnapshotID
	}
	r.Rows, r.Position, r.Batch = st.says.Rows, st.own, x.checked
	if st.own != nil && st.own.Batch < x.checked {
		left, err := x.feed.Count(ctx, st.own.Batch, x.checked)
		if err != nil {
			return err
		}
		if left == 0 {
			r.Batch = st.own.Batch // an export skips batches without rows
		}
	}
	r.Others = position.Others(st.says.Positions, x.meta.Origin)
	var err error
	r.FileRows, err = x.feed.Count(ctx, 0, x.checked)
	if err == nil && st.own != nil && st.own.Batch > x.checked && x.run.plan.Do == model.LakeDoExport {
		x.opts.Warning(fmt.Sprintf("table %s is at batch %d, and %s ends at batch %d: a newer copy of the file was exported", x.name(), st.own.Batch, x.run.plan.Name, x.checked))
	}
	return err
}

// compareOnly compares, and forecasts an export.
func (x *exporter) compareOnly(ctx context.Context) error {
	t, err := x.catalog.Load(ctx, x.feed.name)
	if errors.Is(err, catalog.ErrNoTable) {
		return x.missing(ctx)
	}
	if err != nil {
		return err
	}
	st, err := read(ctx, t, x.meta.Origin)
	if err != nil {
		return err
	}
	after := int64(0)
	if !x.run.plan.Replace {
		if err := x.agree(ctx, st); err != nil {
			return err
		}
		if st.own != nil {
			after = st.own.Batch
		}
	}
	if _, err := shapeOf(t, x.feed.columns, x.asked(), x.run.plan.Replace); err != nil {
		return err
	}
	if err := x.forecast(ctx, after); err != nil {
		return err
	}
	return x.finish(ctx, st)
}

// missing is the result for a missing table.
func (x *exporter) missing(ctx context.Context) error {
	rows, err := x.feed.Count(ctx, 0, x.checked)
	if err != nil || x.feed.lazy && rows == 0 {
		return err
	}
	if x.run.plan.Do == model.LakeDoStatus && x.feed.lazy {
		return nil
	}
	x.result.Table, x.result.Batch, x.result.FileRows = x.name(), x.checked, rows
	return x.forecast(ctx, 0)
}

// forecast returns the rows and commits that an export would add after a batch.
func (x *exporter) forecast(ctx context.Context, after int64) error {
	if !x.run.plan.DryRun || after >= x.checked {
		return nil
	}
	var err error
	if x.result.Added, err = x.feed.Count(ctx, after, x.checked); err != nil || x.result.Added == 0 {
		return err
	}
	cuts, err := x.feed.Cuts(ctx, after, x.checked, x.commitRows())
	x.result.Commits = int64(len(cuts))
	if x.run.plan.Replace {
		x.result.Commits = 1
	}
	return err
}
