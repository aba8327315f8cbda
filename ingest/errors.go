package ingest

import "errors"

// What others test for with errors.Is.
var (
	// ErrFrom: the pull is to go further down than the file does.
	ErrFrom = errors.New("the file does not go down that far")
	// ErrUnusable: most of what came could not be stored.
	ErrUnusable = errors.New("what came is hardly usable: it is probably another API, or another version of it")
)
