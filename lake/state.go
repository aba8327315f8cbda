package lake

import (
	"context"
	"strconv"
	"strings"

	"datasync/internal/model"

	"datasync/lake/position"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// state is the state of a table at one metadata file.
type state struct {
	table *table.Table
	says  position.Table
	// own is the position of the file's origin, or nil.
	own *model.LakePosition
}

// read reads the row count and the positions of a table. It fails with position.ErrUnreadable.
func read(ctx context.Context, t *table.Table, origin string) (*state, error) {
	s := &state{table: t, says: position.Table{Name: strings.Join(t.Identifier(), ".")}}
	var err error
	if s.says.Positions, err = position.Read(t.Properties()); err != nil {
		return nil, err
	}
	s.own = position.Of(s.says.Positions, origin)
	if s.says.Rows, err = rowsOf(ctx, t); err != nil {
		return nil, err
	}
	s.says.Newest = newest(t)
	s.says.Foreign = foreign(t)
	return s, nil
}

// base is the id of the newest snapshot, or 0.
func (s *state) base() int64 {
	if head := s.table.CurrentSnapshot(); head != nil {
		return head.SnapshotID
	}
	return 0
}

// rowsOf returns the number of rows in the newest snapshot.
func rowsOf(ctx context.Context, t *table.Table) (int64, error) {
	head := t.CurrentSnapshot()
	if head == nil {
		return 0, nil
	}
	if head.Summary != nil {
		summary := head.Summary.Properties
		if text, ok := summary["total-records"]; ok {
			if rows, err := strconv.ParseInt(text, 10, 64); err == nil {
				return rows - summary.GetInt64("total-position-deletes", 0) - summary.GetInt64("total-equality-deletes", 0), nil
			}
		}
	}
	// The Iceberg specification makes the summary optional.
	var rows int64
	err := visitFiles(ctx, t, func(f iceberg.DataFile) error {
		if f.ContentType() == iceberg.EntryContentData {
			rows += f.Count()
		} else {
			rows -= f.Count()
		}
		return nil
	})
	return rows, err
}

// visitFiles calls visit with each live data file and delete file of the newest snapshot.
func visitFiles(ctx context.Context, t *table.Table, visit func(iceberg.DataFile) error) error {
	head := t.CurrentSnapshot()
	if head == nil {
		return nil
	}
	files, err := t.FS(ctx)
	if err != nil {
		return err
	}
	manifests, err := head.Manifests(files)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		if err := ctx.Err(); err != nil {
			return err
		}
		for e, err := range m.Entries(files, true) {
			if err != nil {
				return err
			}
			if err := visit(e.DataFile()); err != nil {
				return err
			}
		}
	}
	return nil
}

// newest returns the positions in the newest snapshot summaries, by property name. Snapshots of other
// programs have none.
func newest(t *table.Table) map[string]model.LakePosition {
	head := t.CurrentSnapshot()
	if head == nil {
		return nil
	}
	found := map[string]model.LakePosition{}
	for _, s := range table.AncestorsOf(head.SnapshotID, t.SnapshotByID) {
		if s.Summary == nil {
			continue
		}
		of := map[string]string{}
		for key, value := range s.Summary.Properties {
			if _, ok := found[key]; !ok && strings.HasPrefix(key, position.Prefix) {
				of[key] = value
			}
		}
		positions, err := position.Read(of)
		if err != nil {
			continue // the properties, not the summaries, are authoritative
		}
		for _, p := range positions {
			found[position.Key(p.Origin)] = p
		}
	}
	return found
}

// foreign returns the number of rows that other programs added and removed since the last export's
// snapshot. A snapshot that rewrites files adds as many rows as it removes.
func foreign(t *table.Table) (rows int64) {
	head := t.CurrentSnapshot()
	if head == nil {
		return 0
	}
	for _, s := range table.AncestorsOf(head.SnapshotID, t.SnapshotByID) {
		if s.Summary == nil || s.Summary.Operation == table.OpReplace {
			continue
		}
		summary := s.Summary.Properties
		for key := range summary {
			if strings.HasPrefix(key, position.Prefix) {
				return rows
			}
		}
		net := summary.GetInt64("added-records", 0) - summary.GetInt64("deleted-records", 0)
		for _, kind := range []string{"position", "equality"} {
			net += summary.GetInt64("removed-"+kind+"-deletes", 0) - summary.GetInt64("added-"+kind+"-deletes", 0)
		}
		rows += max(net, -net)
	}
	return rows
}
