// Package model holds the types that the pull, the file and reports share: events, rejects,
// checkpoints, batches, and the evidence of a file's completeness.
//
// It does not know DuckDB, the API, or how a walk proceeds.
package model
