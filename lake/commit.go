package lake

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/position"
	"datasync/lake/rows"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// dataFile builds the manifest entry of a file from its footer.
func dataFile(t *table.Table, s *shape, f rows.File, location string) (iceberg.DataFile, error) {
	reader, err := file.OpenParquetFile(f.Path, false)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Path, err)
	}
	values := map[int]any{}
	if s.by == rows.ByDay {
		values[s.dayField] = iceberg.Date(f.Days)
	}
	d, err := table.DataFileFromMetadata(table.DataFileArgs{
		Schema: s.schema, Spec: s.spec, Format: iceberg.ParquetFile, Metadata: reader.MetaData(),
		FilePath: location, FileSize: f.Bytes, Content: iceberg.EntryContentData, PartitionValues: values,
		SortOrderID: sortOrder(t, s), Properties: t.Properties(), FormatVersion: t.Metadata().Version(),
	})
	return d, errors.Join(err, reader.Close())
}

// sortOrder returns the id of the table's sort order if our files follow it, else 0 (unsorted).
func sortOrder(t *table.Table, s *shape) int {
	order := t.SortOrder()
	i := 0
	for _, f := range order.Fields() {
		if _, identity := f.Transform.(iceberg.IdentityTransform); !identity || i >= len(s.sorted) || f.SourceID() != s.fields[s.sorted[i]] || f.Direction != table.SortASC {
			return 0
		}
		i++
	}
	return order.OrderID()
}

// commit adds files and moves the position in one transaction, pinned to the newest snapshot. It fails with
// catalog.ErrConflict if the table does not have the commit. After any other error of the catalog, the
// outcome is unknown.
func commit(ctx context.Context, st *state, s *shape, files []iceberg.DataFile, next model.LakePosition) (*table.Table, error) {
	tx, summary, err := begin(st, s, next)
	if err != nil {
		return nil, err
	}
	if err := tx.AddDataFiles(ctx, files, summary, table.WithoutDuplicateCheck(), table.WithoutAutoNameMapping()); err != nil {
		return nil, err
	}
	return tx.Commit(ctx)
}

// begin starts a pinned transaction that moves the position, and returns the summary of its snapshot.
func begin(st *state, s *shape, next model.LakePosition) (*table.Transaction, iceberg.Properties, error) {
	tx := st.table.NewTransaction()
	if err := tx.AssertRefSnapshotID(table.MainBranch); err != nil {
		return nil, nil, err
	}
	if err := addColumns(tx, s); err != nil {
		return nil, nil, err
	}
	moved := iceberg.Properties{position.Key(next.Origin): position.Format(next)}
	properties := maps.Clone(moved)
	if s.changed {
		properties[columnsKey] = s.fieldsText()
	}
	return tx, moved, tx.SetProperties(properties)
}

// addColumns adds the missing columns to the table, with the ids in the files.
func addColumns(tx *table.Transaction, s *shape) error {
	if len(s.added) == 0 {
		return nil
	}
	update := tx.UpdateSchema(true, false)
	for _, c := range s.added {
		update.AddColumn([]string{c.name}, s.typeOf(c), c.doc, false, nil)
	}
	if err := update.Commit(); err != nil {
		return fmt.Errorf("add columns to the table: %w", err)
	}
	staged, err := tx.StagedTable()
	if err != nil {
		return err
	}
	for _, c := range s.added {
		field, ok := staged.Schema().FindFieldByName(c.name)
		if !ok || field.ID != s.fields[c.name] {
			return fmt.Errorf("%w: the new column %s has another id than planned", catalog.ErrConflict, c.name)
		}
	}
	return nil
}

// expire removes old snapshots once there are many. After a failure, the next export removes them.
func expire(ctx context.Context, t *table.Table) error {
	if len(t.Metadata().Snapshots()) < expireAt {
		return nil
	}
	tx := t.NewTransaction()
	if err := tx.AssertRefSnapshotID(table.MainBranch); err != nil {
		return err
	}
	if err := tx.ExpireSnapshots(table.WithRetainLast(keptSnapshots), table.WithOlderThan(0)); err != nil {
		return err
	}
	_, err := tx.Commit(ctx)
	return err
}
