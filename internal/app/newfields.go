package app

import (
	"context"
	"fmt"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/store"
	"datasync/internal/term"
)

// maxFields is the number of new fields that a summary or a status names.
const maxFields = 5

// countNewFields finds the members that this pull was the first to store. After a signal it does not, because
// the pull must end soon; status counts them.
func (r *pullResult) countNewFields(ctx context.Context, s *store.Store) (err error) {
	if r.Stored > 0 && ctx.Err() == nil {
		r.newFields, err = s.NewFields(ctx)
	}
	return err
}

// writeNewFields names the members that this pull was the first to store.
func (r *pullResult) writeNewFields(t *summaryText) {
	for i, f := range r.newFields {
		if i == maxFields {
			t.line("new field", "%d more: datasync status --json", len(r.newFields)-i)
			break
		}
		t.line("new field", "%s in %s, kept in extra", f.Name, term.Counted(f.Events, "event"))
	}
}

// writeNewFields names the members of events without a column.
func (t *statusText) writeNewFields(fields []inspect.NewField) {
	for i, f := range fields {
		if i == maxFields {
			t.line("new field", "%d more: datasync status --json", len(fields)-i)
			break
		}
		since := ""
		if f.FirstSeen != nil {
			since = " since " + f.FirstSeen.Format(time.RFC3339)
		}
		t.line("new field", "%s in %s%s, kept in extra", term.Visible(f.Name), term.Counted(f.Events, "event"), since)
	}
}

// closeFile closes the file of a pull. After a complete pull it also removes unused space from the file.
func closeFile(ctx context.Context, s *store.Store, complete bool, notice func(string)) error {
	if !complete {
		return s.Close()
	}
	done, err := s.CloseAndCompact(ctx)
	if done.Skipped != nil && ctx.Err() == nil && notice != nil {
		notice(fmt.Sprintf("the file keeps unused space: %v", done.Skipped))
	}
	return err
}
