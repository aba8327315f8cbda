package export

import (
	"datasync/internal/model"
	"fmt"
	"strings"
)

// ErrOptions says that the options contradict each other, or do not fit the database.
var ErrOptions = model.NewFailure(model.ExitUsage, "", "export")

// ErrHistory says that the database no longer holds the rows that were exported before, so
// that an incremental export cannot add to the folder.
var ErrHistory = model.NewFailure(model.ExitData, "export-history", "cannot be added to")

// invalid returns an ErrOptions with a reason.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrOptions, fmt.Errorf(format, args...))
}

// shorten returns the beginning of a value that somebody else wrote, for a message.
func shorten(value any) string { return beginning(value, 200) }

// brief is shorten for a message that says more than the value.
func brief(value any) string { return beginning(value, 60) }

// beginning returns at most that many bytes of a value.
func beginning(value any, most int) string {
	s := fmt.Sprint(value)
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
