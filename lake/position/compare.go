package position

import (
	"fmt"
	"strconv"

	"datasync/internal/model"
)

// Why an export refuses a table. All of them end the program with model.ExitData.
var (
	// ErrUnreadable means that somebody changed a property that holds a position.
	ErrUnreadable = model.NewFailure(model.ExitData, "lake", "the table's position is not one that datasync wrote")
	// ErrForeign means that the table has rows that no export has put there.
	ErrForeign = model.NewFailure(model.ExitData, "lake", "the table has rows that no export of datasync has put there")
	// ErrChanged means that another program added or removed rows, or set the table back.
	ErrChanged = model.NewFailure(model.ExitData, "lake", "another program has changed the table's rows")
	// ErrAnew means that the table has the events of another file of the same API.
	ErrAnew = model.NewFailure(model.ExitData, "lake", "the table has the events of another file")
	// ErrDiffers means that rows that are in the table have changed in the file.
	ErrDiffers = model.NewFailure(model.ExitData, "lake", "the file has changed in batches that the table has already")
)

// Table is what an Iceberg table says of its rows.
type Table struct {
	Name string
	// Rows are all rows of the newest snapshot, without those that delete files remove.
	Rows int64
	// Positions are those of its properties. Newest are those that the newest snapshots of each
	// origin have in their summaries, by the name of the property; an origin may be missing.
	Positions []model.LakePosition
	Newest    map[string]model.LakePosition
	// Foreign are the rows that other programs have added and removed since the newest snapshot of an
	// export, all taken together. Files that were only rewritten count for nothing.
	Foreign int64
}

// File is a datasync file, up to the last batch that an export takes.
type File struct {
	Name, Origin, Lineage string
	Last                  int64
}

// CheckTable tells whether the rows of a table are those that its positions name. It fails with
// ErrForeign or ErrChanged.
func CheckTable(t Table) error {
	rows := Rows(t.Positions)
	switch {
	case len(t.Positions) == 0 && t.Rows > 0:
		return fmt.Errorf("table %s: %w: %s and no position; give the name of another table", t.Name, ErrForeign, count(t.Rows))
	case t.Rows != rows:
		return fmt.Errorf("table %s: %w: it has %s where exports have put %d, as after a rollback, a DELETE or an INSERT; %s",
			t.Name, ErrChanged, count(t.Rows), rows, undo)
	}
	if t.Foreign > 0 {
		return fmt.Errorf("table %s: %w: after the last export it removed rows and added as many, %d altogether; %s", t.Name, ErrChanged, t.Foreign, undo)
	}
	for _, p := range t.Positions {
		if newest, ok := t.Newest[Key(p.Origin)]; ok && newest.Commit != p.Commit {
			return fmt.Errorf("table %s: %w: its newest snapshot is of batch %d of %s where exports have reached batch %d, as after a rollback; %s",
				t.Name, ErrChanged, newest.Batch, p.Origin, p.Batch, undo)
		}
	}
	return nil
}

const undo = "set the table back to the snapshot of the last export, or overwrite the rows of this file with --replace"

// CheckFile tells whether a file continues what the table has of its origin. It fails with ErrAnew.
func CheckFile(t Table, f File) error {
	p := Of(t.Positions, f.Origin)
	if p == nil || p.Lineage == f.Lineage {
		return nil
	}
	return fmt.Errorf("table %s: %w: its events of %s are of a file that was pulled apart from %s; overwrite them with --replace, or give the name of another table",
		t.Name, ErrAnew, f.Origin, f.Name)
}

// CheckRows tells whether the rows of a file up to the batch of a position are those that the table
// has. It fails with ErrDiffers.
func CheckRows(t Table, f File, p model.LakePosition, rows, checksum int64) error {
	switch {
	case rows < p.Rows:
		return fmt.Errorf("table %s: %w: up to batch %d it has %d rows and the table %d, as after the closing check deleted duplicates; overwrite them with --replace",
			t.Name, ErrDiffers, p.Batch, rows, p.Rows)
	case rows != p.Rows || checksum != p.Checksum:
		return fmt.Errorf("table %s: %w: up to batch %d it has %d rows with checksum %d, and the table %d with checksum %d; overwrite them with --replace",
			t.Name, ErrDiffers, p.Batch, rows, checksum, p.Rows, p.Checksum)
	}
	return nil
}

func count(rows int64) string {
	if rows == 1 {
		return "1 row"
	}
	return strconv.FormatInt(rows, 10) + " rows"
}
