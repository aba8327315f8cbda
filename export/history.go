package export

import (
	"context"
	"fmt"

	"datasync/internal/human"
	"datasync/internal/inspect"
)

// checkHistory fails unless the database has the manifest's last batch, by the same run, and as
// many rows up to it as the manifest. Else it is another database, or has lost rows.
func (m *manifest) checkHistory(ctx context.Context, s *inspect.Session, src *source, pull *Pull) error {
	run, err := runOf(ctx, s, m.Batch)
	if err != nil {
		return err
	}
	if pull.Batch < m.Batch || run != m.Run {
		return fmt.Errorf("it was made from another database: batch %d is not by run %s", m.Batch, shorten(m.Run))
	}
	n, err := src.count(ctx, s, fmt.Sprintf("e.batch <= %d", m.Batch))
	if err != nil {
		return err
	}
	if n != m.Rows {
		return fmt.Errorf("of its %s the database has %s: duplicate events were deleted since, or it is another database", human.Counted(m.Rows, "row"), human.Thousands(n))
	}
	return nil
}

// isUpToDate reports whether an export would add nothing to the manifest's folder.
func (m *manifest) isUpToDate(pull *Pull) bool {
	return pull.Batch == m.Batch && pull.Complete == m.Complete
}
