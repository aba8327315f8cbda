// Package export hands the events of a datasync file on as other files: Parquet, CSV or
// JSON lines, one file or a folder of them.
//
// It promises that the target is the whole export or is what it was before, whatever
// happens on the way; that what stands in a folder is named, counted and hashed in the
// folder's manifest; and that an incremental export adds what came since, once.
//
// It knows nothing of the pull or of the command line.
package export
