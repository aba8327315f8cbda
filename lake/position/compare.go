package position

import (
	"fmt"
	"strconv"

	"datasync/internal/model"
)

// The reasons for which an export refuses a table. Each ends the program with model.ExitData.
var (
	// ErrUnreadable: another program changed a property that holds a position.
	ErrUnreadable = model.NewFailure(model.ExitData, "lake", "the table's position is not one that datasync wrote")
	// ErrForeign: the table has rows that no export wrote.
	ErrForeign = model.NewFailure(model.ExitData, "lake", "the table has rows that no export of datasync wrote")
	// ErrChanged: another program added or removed rows, or rolled the table back.
	ErrChanged = model.NewFailure(model.ExitData, "lake", "another program has changed the table's rows")
	// ErrAnew: the table has the events of another file of the same API.
	ErrAnew = model.NewFailure(model.ExitData, "lake", "the table has the events of another file")
	// ErrDiffers: the file has changed in rows that the table has.
	ErrDiffers = model.NewFailure(model.ExitData, "lake", "the file has changed in batches that the table has")
)

// Table has the row counts and positions of an Iceberg table.
type Table struct {
	Name string
	// Rows is the number of rows in the newest snapshot, without deleted rows.
	Rows int64
	// Positions are the positions in its properties. Newest are those in the newest snapshot summary of
	// each origin, by property name; an origin may be missing.
	Positions []model.LakePosition
	Newest    map[string]model.LakePosition
	// Foreign is the number of rows that other programs added or removed since the last export's snapshot.
	// Rewritten files do not count.
	Foreign int64
}

// File is a datasync file, up to the last batch that an export takes.
type File struct {
	Name, Origin, Lineage string
	Last                  int64
}

// CheckTable compares the rows of a table with its positions. It fails with ErrForeign or ErrChanged.
func CheckTable(t Table) error {
	rows := Rows(t.Positions)
	switch {
	case len(t.Positions) == 0 && t.Rows > 0:
		return fmt.Errorf("table %s: %w: %s and no position; name another table", t.Name, ErrForeign, count(t.Rows))
	case t.Rows != rows:
		return fmt.Errorf("table %s: %w: it has %s, and exports wrote %d; a rollback, a DELETE or an INSERT does that; %s",
			t.Name, ErrChanged, count(t.Rows), rows, undo)
	}
	if t.Foreign > 0 {
		return fmt.Errorf("table %s: %w: after the last export, it removed rows and added as many, %d altogether; %s", t.Name, ErrChanged, t.Foreign, undo)
	}
	for _, p := range t.Positions {
		if newest, ok := t.Newest[Key(p.Origin)]; ok && newest.Commit != p.Commit {
			return fmt.Errorf("table %s: %w: its newest snapshot has batch %d of %s, and exports reached batch %d; a rollback does that; %s",
				t.Name, ErrChanged, newest.Batch, p.Origin, p.Batch, undo)
		}
	}
	return nil
}

const undo = "roll the table back to the snapshot of the last export, or overwrite the rows of this file with --replace"

// CheckFile checks that the table has rows of this file, not of another file of the same origin. It fails
// with ErrAnew.
func CheckFile(t Table, f File) error {
	p := Of(t.Positions, f.Origin)
	if p == nil || p.Lineage == f.Lineage {
		return nil
	}
	return fmt.Errorf("table %s: %w: its events of %s come from another pull than those in %s; overwrite them with --replace, or name another table",
		t.Name, ErrAnew, f.Origin, f.Name)
}

// CheckRows compares the rows of a file up to a position's batch with the position. It fails with
// ErrDiffers.
func CheckRows(t Table, f File, p model.LakePosition, rows, checksum int64) error {
	switch {
	case rows < p.Rows:
		return fmt.Errorf("table %s: %w: up to batch %d it has %d rows and the table %d; the closing check deletes duplicates; overwrite the rows with --replace",
			t.Name, ErrDiffers, p.Batch, rows, p.Rows)
	case rows != p.Rows || checksum != p.Checksum:
		return fmt.Errorf("table %s: %w: up to batch %d it has %d rows with checksum %d, and the table %d with checksum %d; overwrite the rows with --replace",
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
