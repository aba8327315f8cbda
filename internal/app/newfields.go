package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/store"
	"datasync/internal/term"
)

// maxFields is how many new fields a summary or a status names.
const maxFields = 5

// countNewFields finds the members that this pull was the first to store. A pull that a signal has ended does
// not count them, as it must end soon; status does.
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

// newFields names the members of events without a column.
func (t *statusText) newFields(fields []inspect.NewField) {
	if len(fields) == 0 {
		return
	}
	var named []string
	for i, f := range fields {
		if i == maxFields {
			named = append(named, fmt.Sprintf("%d more (datasync status --json)", len(fields)-i))
			break
		}
		text := fmt.Sprintf("%s in %s", term.Visible(f.Name), term.Counted(f.Events, "event"))
		if f.FirstSeen != nil {
			text += " since " + f.FirstSeen.Format(time.RFC3339)
		}
		named = append(named, text)
	}
	t.line("new field", "%s; kept in extra", strings.Join(named, ", "))
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
