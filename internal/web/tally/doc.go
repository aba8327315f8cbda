// Package tally keeps the additive figures of a running pull: it adds up the events of each batch that is committed.
//
// It promises that the counts are those of SQL on the events of the same batches, that its memory has a bound
// whatever the events contain, and that a batch that fails leaves nothing. Where a count cannot be kept, it says so
// instead of guessing. It knows neither the pull nor the page.
package tally
