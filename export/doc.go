// Package export writes the events of a datasync file to other files: Parquet, CSV or JSON
// Lines, one file or a folder of them.
//
// It promises that the target is the whole export or is unchanged, whatever fails on the way; that
// a folder's manifest names every file with its number of rows and its SHA-256; and that an
// incremental export adds each new event once.
//
// Run makes a target, reads the selection as a source, and has the target write it. A file or
// pipe takes one COPY. A folder is planned first, in SQL and values alone (folderPlan), and then
// written file by file (folderWriter).
//
// It knows nothing of the pull or of the command line.
package export
