package ingest

import "datasync/internal/model"

// Errors that callers test for with errors.Is.
var (
	// ErrFrom: Options.From is before the start bound of the file.
	ErrFrom = model.NewFailure(model.ExitUsage, "", "the file does not go back that far")
	// ErrUnusable: most elements that came could not be stored.
	ErrUnusable = model.NewFailure(model.ExitData, "unusable", "hardly any element is a valid event: this is probably another API, or another version of it")
)
