// Package model holds the words that the pull, the file and reports share: events, rejects,
// checkpoints, batches, and what a file says of its completeness.
//
// It links no database and sends no request.
package model
