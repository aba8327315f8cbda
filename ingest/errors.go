package ingest

import "errors"

// What others test for with errors.Is.
var (
	// ErrFrom: Options.From is before the start bound of the file.
	ErrFrom = errors.New("the file does not go down that far")
	// ErrUnusable: most elements that came could not be stored.
	ErrUnusable = errors.New("what came is hardly usable: it is probably another API, or another version of it")
)
