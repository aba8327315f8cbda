package lake

import (
	"datasync/internal/model"

	"datasync/lake/position"

	"github.com/apache/iceberg-go/table"
)

// try notes a commit of the part that is about to be sent.
func (p *part) try(st *state, next model.LakePosition) {
	if p.tried == nil {
		p.tried, p.base = map[string]bool{}, st.base()
	}
	p.tried[next.Commit], p.latest = true, st.base()
}

// fate returns the position of the commit that has put a part into a table, or nil. never says that none
// has and none will: whatever the answers said, all snapshots since the first commit are known, and each
// commit names one that is not the newest any more.
func (p *part) fate(t *table.Table, origin string) (at *model.LakePosition, never bool) {
	if len(p.tried) == 0 {
		return nil, true
	}
	key := position.Key(origin)
	for _, s := range t.Metadata().Snapshots() {
		if s.Summary == nil {
			continue
		}
		said, err := position.Read(map[string]string{key: s.Summary.Properties[key]})
		if err == nil && len(said) == 1 && p.tried[said[0].Commit] {
			return &said[0], false
		}
	}
	head := t.CurrentSnapshot()
	if head == nil || head.SnapshotID == p.latest {
		return nil, false
	}
	for s := head; s != nil; s = t.SnapshotByID(*s.ParentSnapshotID) {
		if s.ParentSnapshotID == nil {
			return nil, p.base == 0
		}
		if *s.ParentSnapshotID == p.base {
			return nil, true
		}
	}
	return nil, false // somebody has removed the snapshots between
}
